"""Conv and ConvTranspose: explicit pads, two spatial dimensions, constant weights."""

from __future__ import annotations

from hwsim.errors import GraphError
from hwsim.interchange.onnx.bias import bias_of
from hwsim.interchange.onnx.normalize.common import Normalizer
from hwsim.interchange.onnx.normalize.spatial import Lifted, Pair, emit_lifted, explicit_pads, lift
from hwsim.interchange.onnx.operator import Operator
from hwsim.interchange.reading.constants import require_constant, reshaped_constant
from hwsim.interchange.reading.draft import Draft
from hwsim.interchange.shapes.common import text


def _weights(operator: Operator, draft: Draft, lifted: Lifted) -> tuple[list[str], Pair]:
    """Return the names of weight and bias, and the kernel (height, width)."""
    weight = operator.inputs[1]
    shape = require_constant(draft, weight, "weight").shape
    if len(shape) != (3 if lifted.flat else 4):
        raise GraphError(f"the weight {text(shape)} has another rank than the input")
    if lifted.flat:
        shape = (*shape[:2], 1, shape[2])
        weight = reshaped_constant(draft, weight, f"{weight}.lifted", shape)
    operands = [weight]
    if operator.has(2):
        require_constant(draft, operator.inputs[2], "bias")
        axis = 0 if operator.op == "Conv" else 1
        operands.append(bias_of(draft, operator.name, lifted.tensor, weight, operator.inputs[2], axis))
    kernel = (shape[2], shape[3])
    if lifted.pair(operator, "kernel_shape", 1) != kernel and "kernel_shape" in operator.attributes:
        raise GraphError(f"kernel_shape {text(operator.get('kernel_shape'))} differs from the weight {text(shape)}")
    return operands, kernel


def conv(operator: Operator, draft: Draft) -> None:
    """Conv."""
    lifted = lift(operator, draft)
    operands, kernel = _weights(operator, draft, lifted)
    strides, dilations = lifted.pair(operator, "strides", 1), lifted.pair(operator, "dilations", 1)
    emit_lifted(
        operator, draft, lifted, [lifted.tensor, *operands],
        kernel=kernel, strides=strides, dilations=dilations, groups=int(operator.get("group", 1)),
        pads=explicit_pads(operator, lifted, kernel, strides, dilations),
    )  # fmt: skip


def conv_transpose(operator: Operator, draft: Draft) -> None:
    """ConvTranspose; ``output_shape`` and ``auto_pad`` become pads (ONNX ConvTranspose, equations of the text)."""
    lifted = lift(operator, draft)
    operands, kernel = _weights(operator, draft, lifted)
    strides, dilations = lifted.pair(operator, "strides", 1), lifted.pair(operator, "dilations", 1)
    extra = lifted.pair(operator, "output_padding", 0)
    mode = operator.get("auto_pad", "NOTSET")
    if operator.get("output_shape"):
        shape = operator.get("output_shape")[-1 if lifted.flat else -2 :]
        pads, extra = _pads_for(
            operator, lifted, (1, *shape) if lifted.flat else shape, kernel, strides, dilations, extra
        )
    elif mode in ("SAME_UPPER", "SAME_LOWER"):
        shape = tuple(size * stride for size, stride in zip(lifted.shape[2:], strides, strict=True))
        pads, extra = _pads_for(operator, lifted, shape, kernel, strides, dilations, extra)
    else:
        pads = explicit_pads(operator, lifted, kernel, strides, dilations)
    emit_lifted(
        operator, draft, lifted, [lifted.tensor, *operands],
        kernel=kernel, strides=strides, dilations=dilations, groups=int(operator.get("group", 1)),
        pads=pads, output_padding=extra,
    )  # fmt: skip


def _pads_for(
    operator: Operator,
    lifted: Lifted,
    shape: tuple[int, ...],
    kernel: Pair,
    strides: Pair,
    dilations: Pair,
    extra: Pair,
) -> tuple[tuple[int, int, int, int], Pair]:
    """Return the pads that give an output of ``shape``; what a larger output lacks becomes output_padding."""
    begin, end, more = [0, 0], [0, 0], list(extra)
    for axis in range(2):
        full = strides[axis] * (lifted.shape[2 + axis] - 1) + extra[axis] + dilations[axis] * (kernel[axis] - 1) + 1
        total = full - int(shape[axis])
        more[axis] += max(-total, 0)
        total = max(total, 0)
        small, large = total // 2, total - total // 2
        upper = operator.get("auto_pad") == "SAME_UPPER"
        begin[axis], end[axis] = (small, large) if upper else (large, small)
    return (begin[0], begin[1], end[0], end[1]), (more[0], more[1])


NORMALIZERS: dict[str, Normalizer] = {"Conv": conv, "ConvTranspose": conv_transpose}
