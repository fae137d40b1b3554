"""com.microsoft's element-wise operators on codes, whose operands and result each have a scale: the plain operator on grids."""

from __future__ import annotations

from hwsim.interchange.onnx.normalize.activation import leaky_relu, softmax
from hwsim.interchange.onnx.normalize.common import Normalizer
from hwsim.interchange.onnx.normalize.elementwise import concat, select
from hwsim.interchange.onnx.normalize.quantized.operands import operand_grid, result_grid
from hwsim.interchange.onnx.operator import Operator
from hwsim.interchange.reading.coded import put_on, read_on
from hwsim.interchange.reading.draft import Draft


def binary(operator: Operator, draft: Draft) -> None:
    """QLinearAdd and QLinearMul."""
    grids = [operand_grid(operator, draft, index) for index in (0, 3)]
    inputs = [read_on(draft, operator.inputs[index], grid) for index, grid in zip((0, 3), grids, strict=True)]
    output = operator.outputs[0]
    draft.emit(operator.op.removeprefix("com.microsoft.QLinear"), operator.name, inputs, [output])
    put_on(draft, output, result_grid(operator, draft, 6, grids[0], draft.shape(output)))


def unary(operator: Operator, draft: Draft) -> None:
    """QLinearSigmoid, QLinearLeakyRelu and QLinearSoftmax; which form of Softmax is an attribute."""
    grid = operand_grid(operator, draft, 0)
    x, output = read_on(draft, operator.inputs[0], grid), operator.outputs[0]
    plain = operator.changed(op=operator.op.removeprefix("com.microsoft.QLinear"), inputs=(x,), outputs=(output,))
    if plain.op == "Softmax":
        softmax(plain.changed(opset=int(operator.get("opset", operator.opset))), draft)
    elif plain.op == "LeakyRelu":
        leaky_relu(plain, draft)
    else:
        draft.emit(plain.op, operator.name, [x], [output])
    put_on(draft, output, result_grid(operator, draft, 3, grid, draft.shape(output)))


def qlinear_concat(operator: Operator, draft: Draft) -> None:
    """QLinearConcat: the result's scale and zero point come first; one operand alone is quantized to it."""
    places = range(2, len(operator.inputs), 3)
    grids = [operand_grid(operator, draft, index) for index in places]
    inputs = tuple(read_on(draft, operator.inputs[index], grid) for index, grid in zip(places, grids, strict=True))
    output = operator.outputs[0]
    if len(inputs) == 1:
        draft.emit("Quantize", operator.name, inputs, [output])
    else:
        concat(operator.changed(op="Concat", inputs=inputs), draft)
    put_on(draft, output, result_grid(operator, draft, 0, grids[0], draft.shape(output)))


def qlinear_where(operator: Operator, draft: Draft) -> None:
    """QLinearWhere: the condition comes first; both operands are moved to the grid of the result."""
    grids = [operand_grid(operator, draft, index) for index in (1, 4)]
    x, y = (read_on(draft, operator.inputs[index], grid) for index, grid in zip((1, 4), grids, strict=True))
    select(operator, draft, operator.inputs[0], x, y)
    output = operator.outputs[0]
    put_on(draft, output, result_grid(operator, draft, 7, grids[0], draft.shape(output)))


NORMALIZERS: dict[str, Normalizer] = {
    **dict.fromkeys(("com.microsoft.QLinearAdd", "com.microsoft.QLinearMul"), binary),
    **dict.fromkeys(("com.microsoft.QLinearSigmoid", "com.microsoft.QLinearLeakyRelu", "com.microsoft.QLinearSoftmax"), unary),
    "com.microsoft.QLinearConcat": qlinear_concat,
    "com.microsoft.QLinearWhere": qlinear_where,
}  # fmt: skip
