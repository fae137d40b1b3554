"""Functions of one element, and Softmax."""

from __future__ import annotations

from math import prod

from hwsim.errors import GraphError
from hwsim.interchange.onnx.normalize.common import Normalizer, scalar
from hwsim.interchange.onnx.normalize.elementwise import align
from hwsim.interchange.onnx.operator import Operator, positive_axis
from hwsim.interchange.reading.draft import Draft

_OPEN = 3.4028234e38  # a bound of float32's largest number, as exporters write it, bounds nothing


def plain(operator: Operator, draft: Draft) -> None:
    """Operators without attributes."""
    draft.emit(operator.op, operator.name, operator.inputs[:1], operator.outputs[:1])


def clip(operator: Operator, draft: Draft) -> None:
    """Clip; an open side is None."""
    low, high = scalar(operator, draft, "min", 1), scalar(operator, draft, "max", 2)
    low = None if low is None or low <= -_OPEN else low
    high = None if high is None or high >= _OPEN else high
    draft.emit("Clip", operator.name, operator.inputs[:1], operator.outputs, minimum=low, maximum=high)


def leaky_relu(operator: Operator, draft: Draft) -> None:
    """LeakyRelu."""
    draft.emit("LeakyRelu", operator.name, operator.inputs, operator.outputs, alpha=float(operator.get("alpha", 0.01)))


def hard_sigmoid(operator: Operator, draft: Draft) -> None:
    """HardSigmoid."""
    alpha, beta = float(operator.get("alpha", 0.2)), float(operator.get("beta", 0.5))
    draft.emit("HardSigmoid", operator.name, operator.inputs, operator.outputs, alpha=alpha, beta=beta)


def gelu(operator: Operator, draft: Draft) -> None:
    """Gelu."""
    approximate = operator.get("approximate", "none")
    if approximate not in ("none", "tanh"):
        raise GraphError(f"approximate must be none or tanh, not {approximate!r}")
    draft.emit("Gelu", operator.name, operator.inputs, operator.outputs, approximate=approximate)


def prelu(operator: Operator, draft: Draft) -> None:
    """PRelu; before operator set 7 a slope vector belonged to the channels."""
    x, slope = operator.inputs
    draft.constant(slope, "slope")
    if operator.opset < 7 and len(draft.shape(slope)) == 1 and draft.shape(slope) != (1,):
        slope = align(operator, draft, x, slope, 1)
    draft.emit("PRelu", operator.name, [x, slope], operator.outputs)


def softmax(operator: Operator, draft: Draft) -> None:
    """Softmax; before operator set 13 it ran over all dimensions from axis on."""
    x, output = operator.inputs[0], operator.outputs[0]
    shape = draft.shape(x)
    axis = positive_axis(operator.get("axis", -1 if operator.opset >= 13 else 1), len(shape))
    if operator.opset >= 13 or prod(shape[axis + 1 :]) == 1:
        draft.emit("Softmax", operator.name, [x], [output], axis=axis)
        return
    if prod(shape[axis:-1]) == 1:
        draft.emit("Softmax", operator.name, [x], [output], axis=len(shape) - 1)
        return
    flat, result = f"{output}/flat", f"{output}/result"
    draft.emit("Flatten", f"{operator.name}/flatten", [x], [flat], axis=axis)
    draft.emit("Softmax", operator.name, [flat], [result], axis=1)
    target = (0 if axis == 1 else -1, *shape[1:])
    draft.emit("Reshape", f"{operator.name}/reshape", [result], [output], shape=target)


NORMALIZERS: dict[str, Normalizer] = {
    **dict.fromkeys(("Relu", "Sigmoid", "Tanh", "HardSwish", "Erf", "Sqrt", "Exp", "Neg"), plain),
    "Clip": clip,
    "LeakyRelu": leaky_relu,
    "HardSigmoid": hard_sigmoid,
    "Gelu": gelu,
    "PRelu": prelu,
    "Softmax": softmax,
}
