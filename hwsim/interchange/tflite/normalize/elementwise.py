"""Arithmetic on two tensors that broadcast, and PRELU."""

from __future__ import annotations

from math import log2

from hwsim.errors import GraphError
from hwsim.interchange.tflite.normalize.common import Normalizer, meeting_layout, meeting_operand
from hwsim.interchange.tflite.reading import Reading
from hwsim.interchange.tflite.records import FileOperator
from hwsim.interchange.tflite.result import emit_result

_OPS = {"ADD": "Add", "SUB": "Sub", "MUL": "Mul", "DIV": "Div", "POW": "Pow"}


def binary(operator: FileOperator, reading: Reading) -> None:
    """ADD, SUB, MUL, DIV and POW."""
    if operator.get("pot_scale_int16"):
        _check_scales(operator, reading)
    indexes = operator.inputs[:2]
    layout = meeting_layout(reading, indexes)
    operands = [meeting_operand(reading, index, layout) for index in indexes]
    emit_result(reading, operator, _OPS[operator.code], operands, layout)


def _check_scales(operator: FileOperator, reading: Reading) -> None:
    """Refuse 16-bit tensors of which every scale is a power of two: the runtime then shifts, in an arithmetic of its own."""
    grids = [reading.grid(index) for index in (*operator.inputs[:2], operator.outputs[0])]
    if all(grid is not None and grid.format.bits == 16 and log2(grid.scales()[0]).is_integer() for grid in grids):
        raise GraphError(
            "16-bit tensors with pot_scale_int16 are added by shifts alone, which is not modelled; convert the model again "
            "(converters since 2020 write pot_scale_int16 = false)"
        )


def prelu(operator: FileOperator, reading: Reading) -> None:
    """PRELU: a constant slope that broadcasts to the input."""
    x, slope = operator.inputs[:2]
    reading.constant(slope, "slope")
    layout = meeting_layout(reading, [x, slope])
    operands = [meeting_operand(reading, index, layout) for index in (x, slope)]
    emit_result(reading, operator, "PRelu", operands, layout)


NORMALIZERS: dict[str, Normalizer] = {**dict.fromkeys(_OPS, binary), "PRELU": prelu}
