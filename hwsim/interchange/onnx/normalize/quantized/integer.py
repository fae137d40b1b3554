"""MatMulInteger and ConvInteger: exact products of centred codes as int32, with constant or run-time zero points.

A zero point that is known only at run time (that of DynamicQuantizeLinear) joins the product as a constant one does: with
zero points ``folded`` the codes themselves meet in the array, and its multiple of the weights' column sums is taken off.
"""

from __future__ import annotations

from hwsim.errors import GraphError
from hwsim.interchange.onnx.normalize.common import Normalizer
from hwsim.interchange.onnx.normalize.convolution import conv
from hwsim.interchange.onnx.normalize.matrix import matmul
from hwsim.interchange.onnx.operator import Operator
from hwsim.interchange.reading.coded import code_format, put_on, raw, read_from, read_on
from hwsim.interchange.reading.draft import Draft
from hwsim.interchange.reading.stored import codes_of, format_of_array, raw_grid
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams

INT32 = IntFormat(bits=32)


def matmul_integer(operator: Operator, draft: Draft) -> None:
    """MatMulInteger: a with one zero point, b with one or, where it is a matrix, one per column."""
    left = _centred(operator, draft, 0, 2, None)
    right = _centred(operator, draft, 1, 3, 1 if len(draft.shape(operator.inputs[1])) == 2 else None)
    matmul(operator.changed(op="MatMul", inputs=(left, right)), draft)
    put_on(draft, operator.outputs[0], raw_grid(INT32))


def conv_integer(operator: Operator, draft: Draft) -> None:
    """ConvInteger: x with one zero point, which also fills the border; the weight with one or one per output channel."""
    x, weight = _centred(operator, draft, 0, 2, None), _centred(operator, draft, 1, 3, 0)
    conv(operator.changed(op="Conv", inputs=(x, weight)), draft)
    put_on(draft, operator.outputs[0], raw_grid(INT32))


def _centred(operator: Operator, draft: Draft, index: int, zero_point: int, axis: int | None) -> str:
    """Return the operand on a grid of scale 1 whose zero point is the operator's."""
    tensor = operator.inputs[index]
    if not operator.has(zero_point):
        return raw(draft, tensor)
    zero = operator.inputs[zero_point]
    if zero not in draft.constants:
        return read_from(draft, tensor, zero)
    value = draft.constants[zero]
    number = format_of_array(value)
    if number is None or number != code_format(draft, tensor):
        raise GraphError(
            f"the zero point {zero!r} is {value.dtype.name}, and {tensor!r} another type; they must be equal"
        )
    zeros = tuple(int(code) for code in codes_of(value, number).reshape(-1))
    if len(zeros) > 1 and (axis is None or len(zeros) != draft.shape(tensor)[axis]):
        raise GraphError(f"{len(zeros)} zero points of {tensor!r} are not supported; use one")
    granularity = PER_TENSOR if len(zeros) == 1 else Granularity(axis=axis)
    grid = QuantParams(format=number, scale=(1.0,) * len(zeros), zero_point=zeros, granularity=granularity)
    return read_on(draft, tensor, grid)


NORMALIZERS: dict[str, Normalizer] = {
    "MatMulInteger": matmul_integer,
    "ConvInteger": conv_integer,
}
