"""From the rows of OPS to ONNX operators, on real values.

Most operators are rows of ``PLAIN``: which of the node's attributes ONNX writes under which name. Those that ONNX spells
with constant operands, or differently in its versions, have a function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from onnx import TensorProto

from hwsim.errors import GraphError, did_you_mean
from hwsim.graph import Node
from hwsim.interchange.onnx.write.run_time import dynamic_quantize, rescale
from hwsim.interchange.onnx.write.sheet import Shape, Sheet

_CONV = {"kernel": "kernel_shape", "strides": "strides", "pads": "pads", "dilations": "dilations", "groups": "group"}
_POOL = {"kernel": "kernel_shape", "strides": "strides", "pads": "pads", "ceil_mode": "ceil_mode"}

PLAIN: Mapping[str, Mapping[str, str]] = {
    "Conv": _CONV,
    "ConvTranspose": {**_CONV, "output_padding": "output_padding"},
    "MaxPool": {**_POOL, "dilations": "dilations"},
    "Concat": {"axis": "axis"},
    "LeakyRelu": {"alpha": "alpha"},
    "HardSigmoid": {"alpha": "alpha", "beta": "beta"},
    "Gelu": {"approximate": "approximate"},
    "Softmax": {"axis": "axis"},
    "LayerNormalization": {"axis": "axis", "epsilon": "epsilon"},
    "BatchNormalization": {"epsilon": "epsilon"},
    "LRN": {"alpha": "alpha", "beta": "beta", "bias": "bias", "size": "size"},
    "DepthToSpace": {"blocksize": "blocksize", "mode": "mode"},
    "Flatten": {"axis": "axis"},
    "Transpose": {"permutation": "perm"},
    "Gather": {"axis": "axis"},
    **{
        op: {}
        for op in (
            "Gemm", "MatMul", "Add", "Sub", "Mul", "Div", "Pow", "GlobalAveragePool", "GlobalMaxPool", "Relu", "PRelu",
            "Sigmoid", "HardSwish", "Tanh", "Erf", "Sqrt", "Exp", "Neg", "Identity",
        )
    },
}  # fmt: skip

Emitter = Callable[[Sheet, Node, Sequence[str], Sequence[str], Shape], None]


def write_node(sheet: Sheet, node: Node, inputs: Sequence[str], outputs: Sequence[str], shape: Shape) -> None:
    """Write one operator without its fused clamp.

    Args:
        sheet: the file.
        node: the operator.
        inputs: the names under which the file has its operands as real values.
        outputs: the names of its results, real values before any clamp or quantization.
        shape: of the first input.

    Raises:
        GraphError: an operator that has no ONNX form.
    """
    if node.op in PLAIN:
        attributes = {theirs: _value(node.attributes[own]) for own, theirs in PLAIN[node.op].items()}
        sheet.emit(node.op, node.name, inputs, outputs, **attributes)
    elif node.op in EMITTERS:
        EMITTERS[node.op](sheet, node, inputs, outputs, shape)
    else:
        raise GraphError(
            f"node {node.name!r}: operator {node.op!r} has no ONNX form that this writer knows"
            f"{did_you_mean(node.op, (*PLAIN, *EMITTERS))}"
        )


def write_clamp(
    sheet: Sheet, name: str, low: float | None, high: float | None, source: str, target: str | None = None
) -> str:
    """Write a ReLU or Clip of ``source`` into ``target`` (else a name like it); return its output."""
    target = target or sheet.name(f"{source}/clipped")
    if low == 0 and high is None:
        return sheet.emit("Relu", f"{name}/clamp", [source], [target])
    ends = ["" if end is None else sheet.constant(f"{name}/{side}", np.float32(end)) for side, end in (("min", low), ("max", high))]  # fmt: skip
    return sheet.emit("Clip", f"{name}/clamp", [source, *(ends if ends[1] else ends[:1])], [target])


def least_opset(node: Node, shape: Shape) -> int:
    """Return the first version of ONNX's operator set that has the node in the form written here.

    Args:
        node: the operator.
        shape: of its first input.
    """
    if node.op == "AveragePool" and tuple(node.attributes["dilations"]) != (1, 1):
        return 19
    if node.op == "Resize":
        if node.attributes["coordinate_transformation_mode"] == "half_pixel_symmetric":
            return 19
        return 13 if _scales_suffice(node, shape) else 18
    return {"Gelu": 20, "LayerNormalization": 17, "HardSwish": 14}.get(node.op, 13)


def _value(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    return list(value) if isinstance(value, tuple) else value


def _integers(sheet: Sheet, name: str, values: Sequence[int]) -> str:
    return sheet.constant(name, np.array(values, dtype=np.int64))


def _average_pool(sheet: Sheet, node: Node, inputs: Sequence[str], outputs: Sequence[str], shape: Shape) -> None:
    attributes = {theirs: _value(node.attributes[own]) for own, theirs in _POOL.items()}
    if sheet.opset >= 19:
        attributes["dilations"] = list(node.attributes["dilations"])
    attributes["count_include_pad"] = int(node.attributes["count_include_pad"])
    sheet.emit("AveragePool", node.name, inputs, outputs, **attributes)


def _sum(sheet: Sheet, node: Node, inputs: Sequence[str], outputs: Sequence[str], shape: Shape) -> None:
    """A sum of two is an Add, which runtimes have in integers."""
    sheet.emit("Add" if len(inputs) == 2 else "Sum", node.name, inputs, outputs)


def _reduce_mean(sheet: Sheet, node: Node, inputs: Sequence[str], outputs: Sequence[str], shape: Shape) -> None:
    keepdims = int(node.attributes["keepdims"])
    if sheet.opset < 18:
        sheet.emit("ReduceMean", node.name, inputs, outputs, axes=list(node.attributes["axes"]), keepdims=keepdims)
        return
    axes = _integers(sheet, f"{node.name}/axes", node.attributes["axes"])
    sheet.emit("ReduceMean", node.name, [*inputs, axes], outputs, keepdims=keepdims)


def _clip(sheet: Sheet, node: Node, inputs: Sequence[str], outputs: Sequence[str], shape: Shape) -> None:
    ends = [
        "" if node.attributes[key] is None else sheet.constant(f"{node.name}/{key}", np.float32(node.attributes[key]))
        for key in ("minimum", "maximum")
    ]
    sheet.emit("Clip", node.name, [*inputs, *(ends if ends[1] else ends[:1])], outputs)


def _scales_suffice(node: Node, shape: Shape) -> bool:
    """Whether ONNX computes the node's output size from its scales, in float32 as well as in float64."""
    factors = np.array(node.attributes["scales"], dtype=np.float32)
    sizes = tuple(node.attributes["output_size"])
    return all(
        int(np.floor(kind(old) * kind(factor))) == size
        for old, factor, size in zip(shape[-2:], factors, sizes, strict=True)
        for kind in (np.float32, np.float64)
    )


def _resize(sheet: Sheet, node: Node, inputs: Sequence[str], outputs: Sequence[str], shape: Shape) -> None:
    keys = ("mode", "coordinate_transformation_mode", "nearest_mode")
    attributes = {key: node.attributes[key] for key in keys}
    if _scales_suffice(node, shape):
        factors = sheet.constant(f"{node.name}/scales", np.array([1, 1, *node.attributes["scales"]], dtype=np.float32))
        sheet.emit("Resize", node.name, [inputs[0], "", factors], outputs, **attributes)
        return
    sizes = _integers(sheet, f"{node.name}/sizes", node.attributes["output_size"])
    sheet.emit("Resize", node.name, [inputs[0], "", "", sizes], outputs, axes=[2, 3], **attributes)


def _pad(sheet: Sheet, node: Node, inputs: Sequence[str], outputs: Sequence[str], shape: Shape) -> None:
    pads = node.attributes["pads"]
    flat = [before for before, _ in pads] + [after for _, after in pads]
    operands = [inputs[0], _integers(sheet, f"{node.name}/pads", flat)]
    if node.attributes["mode"] == "constant":
        operands.append(sheet.constant(f"{node.name}/value", np.float32(node.attributes["value"])))
    sheet.emit("Pad", node.name, operands, outputs, mode=node.attributes["mode"])


def _with_integers(op: str, *keys: str) -> Emitter:
    """Return the emitter of an operator whose attributes are ONNX's integer operands, in this order."""

    def emit(sheet: Sheet, node: Node, inputs: Sequence[str], outputs: Sequence[str], shape: Shape) -> None:
        operands = [_integers(sheet, f"{node.name}/{key}", node.attributes[key]) for key in keys]
        sheet.emit(op, node.name, [inputs[0], *operands], outputs)

    return emit


def _split(sheet: Sheet, node: Node, inputs: Sequence[str], outputs: Sequence[str], shape: Shape) -> None:
    sizes = _integers(sheet, f"{node.name}/sizes", node.attributes["sizes"])
    sheet.emit("Split", node.name, [inputs[0], sizes], outputs, axis=node.attributes["axis"])


def _where(sheet: Sheet, node: Node, inputs: Sequence[str], outputs: Sequence[str], shape: Shape) -> None:
    x, y, condition = inputs
    mask = sheet.emit("Cast", f"{node.name}/mask", [condition], [sheet.name(f"{node.name}/mask")], to=TensorProto.BOOL)
    sheet.emit("Where", node.name, [mask, x, y], outputs)


EMITTERS: Mapping[str, Emitter] = {
    "DynamicQuantize": dynamic_quantize,
    "Rescale": rescale,
    "AveragePool": _average_pool,
    "Sum": _sum,
    "ReduceMean": _reduce_mean,
    "Clip": _clip,
    "Resize": _resize,
    "Pad": _pad,
    "Reshape": _with_integers("Reshape", "shape"),
    "Squeeze": _with_integers("Squeeze", "axes"),
    "Unsqueeze": _with_integers("Unsqueeze", "axes"),
    "Slice": _with_integers("Slice", "starts", "ends", "axes", "steps"),
    "Split": _split,
    "Where": _where,
}
