"""Quantization at run time: DynamicQuantizeLinear, the products of com.microsoft that hold it or a scale inside, plain operators."""

from __future__ import annotations

from hwsim.errors import GraphError
from hwsim.interchange.onnx.normalize.common import Normalizer
from hwsim.interchange.onnx.normalize.quantized.integer import matmul_integer
from hwsim.interchange.onnx.operator import Operator, positive_axis
from hwsim.interchange.onnx.run_time_scales import DOMAIN, OP
from hwsim.interchange.reading.draft import Draft
from hwsim.interchange.reading.stored import raw_grid
from hwsim.numerics.formats import IntFormat

UINT8 = IntFormat(bits=8, signed=False)


def dynamic_quantize_linear(operator: Operator, draft: Draft) -> None:
    """DynamicQuantizeLinear: plain uint8 codes, a real scale and a plain uint8 zero point."""
    outputs = [name or f"{operator.name}/{role}" for name, role in zip(_three(operator), _ROLES, strict=True)]
    _emit(operator.name, operator.inputs[0], outputs, draft)


_ROLES = ("codes", "scale", "zero_point")


def _three(operator: Operator) -> tuple[str, ...]:
    return (*operator.outputs, "", "", "")[:3]


def _emit(name: str, x: str, outputs: list[str], draft: Draft) -> None:
    draft.emit("DynamicQuantizeLinear", name, [x], outputs)
    for output in (outputs[0], outputs[2]):
        draft.grids[output] = raw_grid(UINT8)
        draft.code_names.add(output)
    draft.notes["ranges that are found at run time are those of a whole batch"] = None


def scales_found(operator: Operator, draft: Draft) -> None:
    """What ``with_run_time_scales`` finds: ``x / scale``, not yet rounded, and a scale per index of the first dimensions.

    Of the format only the maximum is known here; what quantizes ``x / scale`` tells the rest (``hwsim.graph.fusion.adopt``).

    Raises:
        GraphError: other dimensions than all behind the first ones.
    """
    x, maximum = operator.inputs[0], int(operator.get("maximum"))
    rank = len(draft.shape(x))
    axes = sorted({positive_axis(axis, rank) for axis in operator.get("axes")})
    if not axes or axes[0] == 0 or axes != list(range(axes[0], rank)) or not operator.get("keepdims"):
        raise GraphError(
            f"a scale found at run time over the dimensions {axes} of {rank} is not supported; find one per token (the last "
            "dimension) or image (all but the first) and keep the dimensions"
        )
    signed = maximum.bit_length() % 2 == 1  # widths are even as a rule
    number = IntFormat(bits=maximum.bit_length() + signed, signed=signed)
    draft.emit("DynamicQuantize", operator.name, [x], operator.outputs, axis=axes[0], format=str(number))


def dynamic_quantize_matmul(operator: Operator, draft: Draft) -> None:
    """DynamicQuantizeMatMul: A quantized at run time, times B; inputs A, B, b_scale, b_zero_point, bias."""
    names = [f"{operator.outputs[0]}/a_{role}" for role in _ROLES]
    _emit(f"{operator.name}/quantize", operator.inputs[0], names, draft)
    b, b_scale, b_zero, bias = (*operator.inputs[1:], "", "", "")[:4]
    _product(operator, draft, (names[0], b, names[2], b_zero), (names[1], b_scale), bias)


def matmul_integer_to_float(operator: Operator, draft: Draft) -> None:
    """MatMulIntegerToFloat: inputs A, B, a_scale, b_scale, a_zero_point, b_zero_point, bias."""
    a, b, a_scale, b_scale, a_zero, b_zero, bias = (*operator.inputs, "", "", "")[:7]
    _product(operator, draft, (a, b, a_zero, b_zero), (a_scale, b_scale), bias)


def _product(operator: Operator, draft: Draft, operands: tuple[str, ...], scales: tuple[str, str], bias: str) -> None:
    """Emit ``f32(a b) * f32(a_scale * b_scale) + bias``."""
    output = operator.outputs[0]
    for scale in scales:
        if not scale:
            raise GraphError("a scale is missing; export the model again")
    product, factor = f"{output}/integers", f"{output}/scale"
    while operands and not operands[-1]:
        operands = operands[:-1]
    matmul_integer(operator.changed(inputs=operands, outputs=(product,), name=f"{operator.name}/product"), draft)
    draft.emit("Mul", f"{operator.name}/scale", list(scales), [factor])
    scaled = f"{output}/scaled" if bias else output
    draft.emit("Mul", operator.name, [product, factor], [scaled])
    if bias:
        draft.emit("Add", f"{operator.name}/bias", [scaled, bias], [output])


NORMALIZERS: dict[str, Normalizer] = {
    "DynamicQuantizeLinear": dynamic_quantize_linear,
    f"{DOMAIN}.{OP}": scales_found,
    "com.microsoft.DynamicQuantizeMatMul": dynamic_quantize_matmul,
    "com.microsoft.MatMulIntegerToFloat": matmul_integer_to_float,
}
