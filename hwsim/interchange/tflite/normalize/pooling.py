"""AVERAGE_POOL_2D and MAX_POOL_2D: padding never counts."""

from __future__ import annotations

from typing import Any

from hwsim.interchange.tflite.layout import CHANNELS_FIRST
from hwsim.interchange.tflite.normalize.common import Normalizer
from hwsim.interchange.tflite.normalize.spatial import explicit_pads, height_and_width, pair, strides
from hwsim.interchange.tflite.reading import Reading
from hwsim.interchange.tflite.records import FileOperator
from hwsim.interchange.tflite.result import emit_result

_OPS = {"AVERAGE_POOL_2D": "AveragePool", "MAX_POOL_2D": "MaxPool"}


def pool(operator: FileOperator, reading: Reading) -> None:
    """Either pooling."""
    x = operator.inputs[0]
    sizes = height_and_width(reading, x)
    kernel, stride = pair(operator, "filter_height", "filter_width"), strides(operator)
    more: dict[str, Any] = {"count_include_pad": False} if operator.code == "AVERAGE_POOL_2D" else {}
    emit_result(
        reading, operator, _OPS[operator.code], [reading.operand(x, CHANNELS_FIRST)], CHANNELS_FIRST,
        kernel=kernel, strides=stride, dilations=(1, 1), ceil_mode=False,
        pads=explicit_pads(operator, sizes, kernel, stride, (1, 1)), **more,
    )  # fmt: skip


NORMALIZERS: dict[str, Normalizer] = dict.fromkeys(_OPS, pool)
