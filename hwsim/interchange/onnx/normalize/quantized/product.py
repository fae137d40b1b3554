"""QLinearConv, QLinearMatMul and QGemm: products of codes, requantized."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwsim.errors import GraphError
from hwsim.interchange.onnx.bias import product_grid
from hwsim.interchange.onnx.normalize.common import Normalizer
from hwsim.interchange.onnx.normalize.convolution import conv
from hwsim.interchange.onnx.normalize.matrix import gemm, matmul
from hwsim.interchange.onnx.normalize.quantized.operands import operand_grid, result_grid
from hwsim.interchange.onnx.operator import Operator
from hwsim.interchange.reading.coded import put_on, read_on
from hwsim.interchange.reading.draft import Draft
from hwsim.interchange.shapes.common import text
from hwsim.numerics.quant_params import QuantParams


def qlinear_conv(operator: Operator, draft: Draft) -> None:
    """QLinearConv: x per tensor, weight per tensor or output channel, int32 bias in units of the product."""
    if operator.get("channels_last", 0):
        raise GraphError("channels_last=1 is not supported; export the model with channels first")
    ifmap, weight = operand_grid(operator, draft, 0), operand_grid(operator, draft, 3, axis=0)
    inputs = [read_on(draft, operator.inputs[0], ifmap), read_on(draft, operator.inputs[3], weight)]
    if operator.has(8):
        inputs.append(read_on(draft, operator.inputs[8], product_grid(ifmap, weight)))
    output = operator.outputs[0]
    conv(operator.changed(op="Conv", inputs=tuple(inputs)), draft)
    put_on(draft, output, result_grid(operator, draft, 6, ifmap, draft.shape(output)))


def qlinear_matmul(operator: Operator, draft: Draft) -> None:
    """QLinearMatMul: a per tensor, b per tensor or, where it is a matrix, per column."""
    left = operand_grid(operator, draft, 0)
    right = operand_grid(operator, draft, 3, axis=1 if len(draft.shape(operator.inputs[3])) == 2 else None)
    inputs = (read_on(draft, operator.inputs[0], left), read_on(draft, operator.inputs[3], right))
    output = operator.outputs[0]
    matmul(operator.changed(op="MatMul", inputs=inputs), draft)
    put_on(draft, output, result_grid(operator, draft, 6, left, draft.shape(output)))


def qgemm(operator: Operator, draft: Draft) -> None:
    """QGemm of com.microsoft: ``alpha a b + c``, c as int32 in units of the product; without a result scale it stays real.

    ``alpha`` goes into the scale of a, where ONNX Runtime multiplies it too: ``f32(f32(alpha * sa) * sb)``.
    """
    columns = 0 if operator.get("transB", 0) else 1
    left, right = operand_grid(operator, draft, 0), operand_grid(operator, draft, 3, axis=columns)
    alpha = np.float32(operator.get("alpha", 1.0))
    if not alpha > 0:
        raise GraphError(f"alpha must be positive, not {alpha}; multiply the weights by it")
    a = read_on(draft, operator.inputs[0], left)
    if alpha != 1:
        left = replace(left, scale=(float(alpha * left.scales()[0]),))
        a = read_on(draft, a, left)
    inputs = [a, read_on(draft, operator.inputs[3], right)]
    if operator.has(6):
        count = draft.shape(operator.inputs[3])[columns]
        inputs.append(_bias(draft, operator.inputs[6], count, product_grid(left, right)))
    output = operator.outputs[0]
    attributes = {key: operator.get(key, 0) for key in ("transA", "transB")}
    gemm(operator.changed(op="Gemm", inputs=tuple(inputs), attributes=attributes), draft)
    if operator.has(7):
        put_on(draft, output, result_grid(operator, draft, 7, left, draft.shape(output)))


def _bias(draft: Draft, name: str, count: int, grid: QuantParams) -> str:
    """Return the bias as ``[count]``."""
    draft.constant(name, "bias")
    value = draft.constants[name]
    if value.shape == (count,):
        return read_on(draft, name, grid)
    if value.size not in (1, count) or value.shape[-1:] not in ((), (1,), (count,)):
        raise GraphError(
            f"a bias of shape {text(value.shape)} is not supported; it must be one for each column, or one"
        )
    return draft.add_constant(f"{name}.row", np.array(np.broadcast_to(value.reshape(-1), (count,))), grid)


NORMALIZERS: dict[str, Normalizer] = {
    "QLinearConv": qlinear_conv,
    "com.microsoft.QLinearConv": qlinear_conv,
    "QLinearMatMul": qlinear_matmul,
    "com.microsoft.QGemm": qgemm,
}
