"""FULLY_CONNECTED and BATCH_MATMUL."""

from __future__ import annotations

from math import prod

import tflite

from hwsim.errors import GraphError
from hwsim.interchange.tflite.layout import Permutation, identity
from hwsim.interchange.tflite.normalize.bias import bias_operand
from hwsim.interchange.tflite.normalize.common import Normalizer, in_order
from hwsim.interchange.tflite.reading import Reading
from hwsim.interchange.tflite.records import FileOperator
from hwsim.interchange.tflite.result import emit_result


def fully_connected(operator: FileOperator, reading: Reading) -> None:
    """FULLY_CONNECTED: weights ``[out, in]``; an input of more dimensions is read as rows of ``in`` elements."""
    if operator.get("weights_format") != tflite.FullyConnectedOptionsWeightsFormat.DEFAULT:
        raise GraphError("shuffled weights are not supported; convert the model with weights in the default format")
    x, weight = operator.inputs[:2]
    shape, weight_shape = reading.shape(x), reading.shape(weight)
    if len(weight_shape) != 2 or not all(weight_shape) or prod(shape) % weight_shape[1]:
        raise GraphError(f"an input of shape {list(shape)} does not divide into rows for a weight {list(weight_shape)}")
    out_features, in_features = weight_shape
    rows = (prod(shape) // in_features, in_features)
    source = in_order(reading, x)
    if shape != rows:
        flat = reading.fresh(f"{reading.names[operator.outputs[0]]}/rows")
        reading.reshape(flat, source, flat, rows)
        source = flat
    kept = operator.get("keep_num_dims") and len(shape) != 2
    shaped = (*shape[:-1], out_features) if kept else None
    if shaped is not None and prod(shaped) != rows[0] * out_features:
        raise GraphError(
            f"an input of shape {list(shape)} has rows that a weight {list(weight_shape)} does not read whole"
        )
    operands = [source, reading.operand(weight, (1, 0), role="weight")]
    layout = identity(len(shaped or rows))
    if reading.is_constant(weight):
        operands += bias_operand(reading, operator, 2, x, weight)
        emit_result(reading, operator, "Gemm", operands, layout, shaped=shaped)
    elif operator.has(2):
        raise GraphError("a computed weight with a bias is not supported; use BATCH_MATMUL and ADD")
    else:
        emit_result(reading, operator, "MatMul", operands, layout, shaped=shaped)


def batch_matmul(operator: FileOperator, reading: Reading) -> None:
    """BATCH_MATMUL: the last two dimensions are multiplied, either operand may be turned around."""
    x, y = operator.inputs[:2]
    operands = [
        reading.operand(index, _turned(len(reading.shape(index)), bool(operator.get(key))))
        for index, key in ((x, "adj_x"), (y, "adj_y"))
    ]
    rank = max(len(reading.shape(x)), len(reading.shape(y)))
    emit_result(reading, operator, "MatMul", operands, identity(rank))


def _turned(rank: int, turned: bool) -> Permutation:
    """Return the layout with the last two dimensions exchanged, where ``turned``."""
    if rank < 2:
        raise GraphError("its operands must have two dimensions or more")
    return (*range(rank - 2), rank - 1, rank - 2) if turned else identity(rank)


NORMALIZERS: dict[str, Normalizer] = {"FULLY_CONNECTED": fully_connected, "BATCH_MATMUL": batch_matmul}
