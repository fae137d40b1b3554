"""MEAN."""

from __future__ import annotations

from hwsim.interchange.tflite.layout import identity
from hwsim.interchange.tflite.normalize.common import Normalizer
from hwsim.interchange.tflite.reading import Reading
from hwsim.interchange.tflite.records import FileOperator
from hwsim.interchange.tflite.result import emit_result
from hwsim.interchange.tflite.shapes import normalized_axis


def mean(operator: FileOperator, reading: Reading) -> None:
    """MEAN over constant axes; without ``keep_dims`` what is left must stand in the file's order."""
    x = operator.inputs[0]
    layout = reading.layout(x)
    axes = {normalized_axis(axis, len(layout)) for axis in reading.integers(operator.inputs[1], "axes")}
    keepdims = bool(operator.get("keep_dims"))
    left = [axis for axis in layout if axis not in axes]
    if not keepdims and left != sorted(left):
        layout = identity(len(layout))
    placed = tuple(sorted(layout.index(axis) for axis in axes))
    result = layout if keepdims else identity(len(left))
    emit_result(reading, operator, "ReduceMean", [reading.operand(x, layout)], result, axes=placed, keepdims=keepdims)


NORMALIZERS: dict[str, Normalizer] = {"MEAN": mean}
