"""Pooling windows over maps whose channels lie innermost: loops over pixels and taps, all channels of a pixel at a time."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba.np.unsafe import ndarray

from hwsim.kernels.cache import kernel

to_fixed_tuple: Any = ndarray.to_fixed_tuple


class Pooling(NamedTuple):
    """Where windows lie; pairs are rows and columns.

    Args:
        batch: images.
        height: input rows.
        width: input columns.
        channels: of input and output.
        out_h: output rows.
        out_w: output columns.
        kernel_h: taps along the height.
        kernel_w: taps along the width.
        stride_h: input rows from one output row to the next.
        stride_w: input columns from one output column to the next.
        dilation_h: input rows from tap to tap.
        dilation_w: input columns from tap to tap.
        pad_top: rows of padding above.
        pad_left: columns of padding before.
    """

    batch: int
    height: int
    width: int
    channels: int
    out_h: int
    out_w: int
    kernel_h: int
    kernel_w: int
    stride_h: int
    stride_w: int
    dilation_h: int
    dilation_w: int
    pad_top: int
    pad_left: int


FIELDS = len(Pooling._fields)


def form_of(pooling: Pooling) -> np.ndarray:
    """Return the numbers as int64, which compiled code takes faster than a tuple."""
    return np.array(pooling, np.int64)


@kernel
def _tap(p: Any, image: Any, out_row: Any, out_column: Any, tap: Any) -> Any:
    """Return the first element of the pixel under a tap, -1 outside the map."""
    row = out_row * p.stride_h - p.pad_top + tap // p.kernel_w * p.dilation_h
    column = out_column * p.stride_w - p.pad_left + tap % p.kernel_w * p.dilation_w
    if row < 0 or row >= p.height or column < 0 or column >= p.width:
        return -1
    return ((image * p.height + row) * p.width + column) * p.channels


@kernel
def largest(codes: Any, form: Any, lowest: Any, out: Any) -> None:
    """Write the largest code of every window and channel; ``lowest`` where a window holds none.

    Args:
        codes: integers, flat, channels innermost.
        form: of a ``Pooling``.
        lowest: the smallest code of the type.
        out: likewise ``[batch, out_h, out_w, channels]``, written.
    """
    p = Pooling(*to_fixed_tuple(form, FIELDS))
    to = 0
    for image in range(p.batch):
        for out_row in range(p.out_h):
            for out_column in range(p.out_w):
                found = out[to : to + p.channels]
                found[:] = lowest
                for tap in range(p.kernel_h * p.kernel_w):
                    first = _tap(p, image, out_row, out_column, tap)
                    if first >= 0:
                        here = codes[first : first + p.channels]
                        for c in range(p.channels):
                            found[c] = max(found[c], here[c])
                to += p.channels


@kernel
def float_means(codes: Any, form: Any, counts: Any, grids: Any, low: Any, high: Any, out: Any) -> Any:
    """Write ``clamp(rint(f32(f32(sum / count) / scale) + zero point))`` of every window and channel; QLinearAveragePool.

    Args:
        codes: integers, flat, channels innermost.
        form: of a ``Pooling``.
        counts: float32 ``[out_h, out_w]``, elements that each window averages.
        grids: float32: scale and zero point of the input, then of the result.
        low: smallest code.
        high: largest code.
        out: codes ``[batch, out_h, out_w, channels]``, flat, written.

    Returns:
        How many results lay below and above.
    """
    p = Pooling(*to_fixed_tuple(form, FIELDS))
    scale, zero, out_scale, out_zero = grids
    sums = np.empty(p.channels, np.float32)
    to, below, above = 0, 0, 0
    for image in range(p.batch):
        for out_row in range(p.out_h):
            for out_column in range(p.out_w):
                sums[:] = 0
                for tap in range(p.kernel_h * p.kernel_w):
                    first = _tap(p, image, out_row, out_column, tap)
                    if first >= 0:
                        here = codes[first : first + p.channels]
                        for c in range(p.channels):
                            sums[c] += (np.float32(here[c]) - zero) * scale
                count = counts[out_row, out_column]
                for c in range(p.channels):
                    code = np.rint(sums[c] / count / out_scale + out_zero)
                    below += code < low
                    above += code > high
                    out[to + c] = np.int32(min(max(code, low), high))
                to += p.channels
    return below, above
