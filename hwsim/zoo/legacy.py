"""Read a topology of the ``onnx`` package (ir 3, opset 9) as an opset-17 graph that still lacks its weights."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hwsim.errors import HwsimError

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, ValueInfoProto

OPSET = 17
# Same meaning in opset 9 and 17 for one float input, or brought there by _modern.
_KNOWN = frozenset({
    "Add", "AveragePool", "BatchNormalization", "Concat", "Conv", "Dropout",
    "Gemm", "GlobalAveragePool", "LRN", "MaxPool", "Mul", "Relu",
    "Reshape", "Softmax", "Sum", "Transpose", "Unsqueeze",
})  # fmt: skip
_PARAMETER = re.compile(r"(_(w|b|s|rm|riv|scale|bias|mean|var))?_0$")
_NUMBER = re.compile(r"_0$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Skeleton:
    """A graph without weights: ``shapes`` of the missing float tensors, ``integers`` that it carries."""

    nodes: tuple[NodeProto, ...]
    shapes: dict[str, tuple[int, ...]]
    integers: dict[str, np.ndarray]
    input_name: str
    input_shape: tuple[int, ...]
    output_name: str
    output_shape: tuple[int, ...]


def attributes(node: NodeProto) -> dict[str, Any]:
    """Return the attributes of ``node`` as Python values."""
    from onnx import helper

    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def skeleton(path: Path) -> Skeleton:
    """Read ``path`` and rewrite it for opset 17 with a free batch dimension; the function computed stays the same.

    Dropout (the identity here) goes, a Sum of two becomes an Add, a Reshape of a weight is done at once, axes move
    from attribute to input, a leading 1 in a Reshape becomes 0 ("copy"), and every node gets a name.

    Raises:
        HwsimError: the file uses an operator that is not known here.
    """
    import onnx

    model = onnx.load(path)
    _refuse_unknown(path.name, model)
    shapes, integers = _constants(model)
    data = {value.name for value in model.graph.input} - set(shapes) - set(integers)
    (entry,) = [value for value in model.graph.input if value.name in data]
    nodes = _modern(model, shapes, integers)
    _name_nodes(nodes, shapes)
    used = {name for node in nodes for name in node.input}
    return Skeleton(
        nodes=tuple(nodes),
        shapes={name: shape for name, shape in shapes.items() if name in used},
        integers={name: value for name, value in integers.items() if name in used},
        input_name=entry.name,
        input_shape=_shape(entry),
        output_name=model.graph.output[0].name,
        output_shape=_shape(model.graph.output[0]),
    )


def _shape(value: ValueInfoProto) -> tuple[int, ...]:
    return tuple(d.dim_value for d in value.type.tensor_type.shape.dim)


def _refuse_unknown(where: str, model: ModelProto) -> None:
    for node in model.graph.node:
        if node.op_type not in _KNOWN | {"ConstantOfShape"}:
            raise HwsimError(
                f"{where}: operator {node.op_type} (writes {node.output[0]!r}) has no rule in hwsim.zoo.legacy; "
                "the installed onnx package differs from the one the zoo was written for: see models/zoo.toml"
            )
        if node.op_type == "Gemm" and attributes(node) != {"transB": 1}:
            raise HwsimError(
                f"{where}: Gemm that writes {node.output[0]!r} must have transB=1 only, {attributes(node)}"
            )


def _constants(model: ModelProto) -> tuple[dict[str, tuple[int, ...]], dict[str, np.ndarray]]:
    """Return the shapes of all float constants and the values of all integer ones."""
    from onnx import TensorProto, numpy_helper

    shapes: dict[str, tuple[int, ...]] = {}
    integers: dict[str, np.ndarray] = {}
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            shapes[tensor.name] = tuple(tensor.dims)
        else:
            integers[tensor.name] = numpy_helper.to_array(tensor)
    for node in model.graph.node:
        if node.op_type == "ConstantOfShape":
            shapes[node.output[0]] = tuple(int(d) for d in integers[node.input[0]])
    return shapes, integers


def _modern(model: ModelProto, shapes: dict[str, tuple[int, ...]], integers: dict[str, np.ndarray]) -> list[NodeProto]:
    """Return the nodes in opset 17; adds to ``shapes`` and ``integers`` what the new nodes read."""
    from onnx import helper

    nodes: list[NodeProto] = []
    alias: dict[str, str] = {}
    for node in model.graph.node:
        inputs = [alias.get(name, name) for name in node.input]
        kind, output, values = node.op_type, node.output[0], attributes(node)
        if kind == "ConstantOfShape":
            continue
        if kind == "Dropout":
            alias[output] = inputs[0]
            continue
        if kind == "Reshape":
            target = integers[inputs[1]]
            if inputs[0] in shapes:
                shapes[output] = tuple(int(d) for d in target)
                continue
            inputs[1] = f"{output}.shape"
            integers[inputs[1]] = np.concatenate([[0], target[1:]]).astype(np.int64)
        if kind == "Unsqueeze":
            inputs.append(f"{output}.axes")
            integers[inputs[1]] = np.array(values.pop("axes"), np.int64)
        if kind == "Sum" and len(inputs) == 2:
            kind = "Add"
        if kind == "Softmax":
            values["axis"] = 1  # opset 9 flattens from axis 1 on; what follows it here has one element
        nodes.append(helper.make_node(kind, inputs, [output], **values))
    return nodes


def _name_nodes(nodes: list[NodeProto], shapes: dict[str, tuple[int, ...]]) -> None:
    """Name a node after its first parameter (``res2_0_branch1_bn``), another by type and number (``relu_3``)."""
    seen: Counter[str] = Counter()
    for node in nodes:
        parameter = next((name for name in node.input if name in shapes), None)
        if parameter is None:
            seen[node.op_type] += 1
            node.name = f"{node.op_type.lower()}_{seen[node.op_type]}"
        else:
            suffix = _NUMBER if node.op_type == "Unsqueeze" else _PARAMETER
            node.name = suffix.sub("", parameter.removeprefix("gpu_0/")).replace("/", ".")
