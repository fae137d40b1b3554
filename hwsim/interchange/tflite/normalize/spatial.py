"""Strides, dilations and pads of operators that slide a window."""

from __future__ import annotations

import tflite

from hwsim.errors import GraphError
from hwsim.graph.window import window_count
from hwsim.interchange.tflite.reading import Reading
from hwsim.interchange.tflite.records import FileOperator

Pair = tuple[int, int]
Pads = tuple[int, int, int, int]


def height_and_width(reading: Reading, index: int) -> Pair:
    """Return height and width of ``[batch, height, width, channels]``; raise GraphError for another rank."""
    shape = reading.shape(index)
    if len(shape) != 4:
        raise GraphError(f"its input must be [batch, height, width, channels], not {list(shape)}")
    return shape[1], shape[2]


def pair(operator: FileOperator, height: str, width: str) -> Pair:
    """Return two options as (height, width); raise GraphError unless both are positive."""
    values = int(operator.get(height)), int(operator.get(width))
    if min(values) < 1:
        raise GraphError(
            f"{height} and {width} must be positive, not {values[0]} and {values[1]}; convert the model again"
        )
    return values


def strides(operator: FileOperator) -> Pair:
    """Return the strides (height, width)."""
    return pair(operator, "stride_h", "stride_w")


def dilations(operator: FileOperator) -> Pair:
    """Return the dilations (height, width)."""
    return pair(operator, "dilation_h_factor", "dilation_w_factor")


def is_same(operator: FileOperator) -> bool:
    """Whether the padding is SAME rather than VALID."""
    padding = operator.get("padding")
    if padding not in (tflite.Padding.SAME, tflite.Padding.VALID):
        raise GraphError(f"padding must be SAME or VALID, not number {padding}; convert the model again")
    return bool(padding == tflite.Padding.SAME)


def explicit_pads(operator: FileOperator, sizes: Pair, kernel: Pair, stride: Pair, dilation: Pair) -> Pads:
    """Return pads (top, left, bottom, right); an odd element goes to the end (``ComputePaddingWithOffset``)."""
    if not is_same(operator):
        return 0, 0, 0, 0
    before, after = [], []
    for size, extent, step, spread in zip(sizes, kernel, stride, dilation, strict=True):
        total = max((-(-size // step) - 1) * step + spread * (extent - 1) + 1 - size, 0)
        before.append(total // 2)
        after.append(total - total // 2)
    return before[0], before[1], after[0], after[1]


def transposed_pads(operator: FileOperator, sizes: Pair, wanted: Pair, kernel: Pair, stride: Pair) -> tuple[Pads, Pair]:
    """Return pads and output padding of a transposed convolution whose result has height and width ``wanted``.

    The runtime pads as the convolution from ``wanted`` back to the input would, and leaves out what falls outside.
    """
    same = is_same(operator)
    before, after, extra = [], [], []
    for size, target, extent, step in zip(sizes, wanted, kernel, stride, strict=True):
        back = -(-target // step) if same else window_count(target, kernel=extent, stride=step, before=0, after=0)
        first = max((back - 1) * step + extent - target, 0) // 2
        last = (size - 1) * step + extent - first - target
        before.append(first)
        after.append(max(last, 0))
        extra.append(max(-last, 0))
    return (before[0], before[1], after[0], after[1]), (extra[0], extra[1])
