"""CONV_2D, DEPTHWISE_CONV_2D and TRANSPOSE_CONV: constant weights, explicit pads, bias on the grid of the accumulator."""

from __future__ import annotations

from hwsim.errors import GraphError
from hwsim.interchange.tflite.layout import CHANNELS_FIRST
from hwsim.interchange.tflite.normalize.bias import bias_operand
from hwsim.interchange.tflite.normalize.common import Normalizer
from hwsim.interchange.tflite.normalize.spatial import (
    dilations,
    explicit_pads,
    height_and_width,
    strides,
    transposed_pads,
)
from hwsim.interchange.tflite.reading import Reading
from hwsim.interchange.tflite.records import FileOperator
from hwsim.interchange.tflite.result import emit_result

_OHWI_TO_OIHW = (0, 3, 1, 2)
_LAST_FIRST = (3, 0, 1, 2)  # of 1HWO to O1HW, of OHWI to IOHW


def _weight_shape(reading: Reading, index: int) -> tuple[int, ...]:
    shape = reading.constant(index, "weight").shape
    if len(shape) != 4 or not all(shape):
        raise GraphError(f"the weight must have four dimensions, not {list(shape)}")
    return shape


def conv(operator: FileOperator, reading: Reading) -> None:
    """CONV_2D: weights ``[out, height, width, in / groups]``; fewer input channels than the input has mean groups."""
    x, weight = operator.inputs[:2]
    sizes = height_and_width(reading, x)
    _, height, width, in_channels = _weight_shape(reading, weight)
    channels = reading.shape(x)[3]
    if channels % in_channels:
        raise GraphError(
            f"{channels} input channels do not divide into groups of {in_channels}, as the weight has them"
        )
    kernel, stride, dilation = (height, width), strides(operator), dilations(operator)
    emit_result(
        reading, operator, "Conv",
        [
            reading.operand(x, CHANNELS_FIRST, role="input"),
            reading.operand(weight, _OHWI_TO_OIHW, role="weight"),
            *bias_operand(reading, operator, 2, x, weight),
        ],
        CHANNELS_FIRST,
        kernel=kernel, strides=stride, dilations=dilation, groups=channels // in_channels,
        pads=explicit_pads(operator, sizes, kernel, stride, dilation),
    )  # fmt: skip


def depthwise_conv(operator: FileOperator, reading: Reading) -> None:
    """DEPTHWISE_CONV_2D: weights ``[1, height, width, channels * multiplier]``, multiplier outputs for each channel."""
    x, weight = operator.inputs[:2]
    sizes = height_and_width(reading, x)
    one, height, width, out_channels = _weight_shape(reading, weight)
    channels = reading.shape(x)[3]
    if one != 1 or out_channels % channels:
        raise GraphError(
            f"the weight {[one, height, width, out_channels]} must have 1 in front and a multiple of the input's "
            f"{channels} channels behind"
        )
    kernel, stride, dilation = (height, width), strides(operator), dilations(operator)
    emit_result(
        reading, operator, "Conv",
        [
            reading.operand(x, CHANNELS_FIRST, role="input"),
            reading.operand(weight, _LAST_FIRST, role="weight"),
            *bias_operand(reading, operator, 2, x, weight),
        ],
        CHANNELS_FIRST,
        kernel=kernel, strides=stride, dilations=dilation, groups=channels,
        pads=explicit_pads(operator, sizes, kernel, stride, dilation),
    )  # fmt: skip


def transpose_conv(operator: FileOperator, reading: Reading) -> None:
    """TRANSPOSE_CONV: operands output shape, weights ``[out, height, width, in]``, input."""
    target, weight, x = operator.inputs[:3]
    sizes = height_and_width(reading, x)
    wanted = reading.integers(target, "output shape")
    _, height, width, in_channels = _weight_shape(reading, weight)
    if len(wanted) != 4 or min(wanted) < 1 or in_channels != reading.shape(x)[3]:
        raise GraphError(
            f"its output shape {list(wanted)} and the weight's {in_channels} input channels do not fit the input "
            f"{list(reading.shape(x))}"
        )
    kernel, stride = (height, width), strides(operator)
    pads, extra = transposed_pads(operator, sizes, (wanted[1], wanted[2]), kernel, stride)
    emit_result(
        reading, operator, "ConvTranspose",
        [
            reading.operand(x, CHANNELS_FIRST, role="input"),
            reading.operand(weight, _LAST_FIRST, role="weight"),
            *bias_operand(reading, operator, 3, x, weight),
        ],
        CHANNELS_FIRST,
        kernel=kernel, strides=stride, dilations=(1, 1), groups=1, pads=pads, output_padding=extra,
    )  # fmt: skip


NORMALIZERS: dict[str, Normalizer] = {
    "CONV_2D": conv,
    "DEPTHWISE_CONV_2D": depthwise_conv,
    "TRANSPOSE_CONV": transpose_conv,
}
