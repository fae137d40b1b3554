"""Fast twins of ONNX Runtime's mean pools: 8-bit codes in, 8-bit codes out.

``qlinear_average_pool`` is ``hwsim.numerics.vector.onnxruntime.average_pool`` with its window sums;
``qlinear_global_average_pool`` is the exact sum of a channel under the requantizer ``float32``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.kernels.layout import CHANNELS_LAST, flat
from hwsim.kernels.pool import pooled
from hwsim.kernels.requantize import Requantized
from hwsim.kernels.window_loops import Pooling, float_means, form_of

Pair = tuple[int, int]
Grid = tuple[float, int]


def qlinear_average_pool(
    x: np.ndarray, kernel: Pair, strides: Pair, before: Pair, counts: np.ndarray, grids: tuple[Grid, Grid], bounds: Pair
) -> Requantized:
    """Return the codes of the mean of every window, ``[batch, channels, out_h, out_w]`` of the type of ``x``.

    Args:
        x: raw 8-bit codes ``[batch, channels, height, width]``.
        kernel: height and width.
        strides: along height and width.
        before: padding above and before.
        counts: elements that each window averages, ``[out_h, out_w]``.
        grids: scale and zero point of ``x`` and of the result.
        bounds: smallest and largest code.
    """
    batch, channels, height, width = x.shape
    out_h, out_w = counts.shape
    shape = Pooling(batch, height, width, channels, out_h, out_w, *kernel, *strides, 1, 1, *before)
    numbers = np.array([*grids[0], *grids[1]], np.float32)
    low, high = (np.float32(end) for end in bounds)
    clipped = [0, 0]

    def run(codes: np.ndarray, out: np.ndarray) -> None:
        clipped[:] = float_means(codes, form_of(shape), counts.astype(np.float32), numbers, low, high, out)

    codes = pooled(x, counts.shape, run)
    return Requantized(codes=codes, clipped_low=clipped[0], clipped_high=clipped[1])


@kernel
def _channel_means(
    codes: Any, pixels: Any, zero: Any, multiplier: Any, zero_point: Any, low: Any, high: Any, out: Any
) -> Any:
    """Write ``clamp(rint(f32(sum(code - zero)) * multiplier) + zero_point)`` of every image and channel."""
    images, channels = out.shape
    floor, ceiling = np.float32(low - zero_point), np.float32(high - zero_point)
    sums = np.empty(channels, np.int64)
    first, below, above = 0, 0, 0
    for image in range(images):
        sums[:] = -pixels * zero
        for _ in range(pixels):
            here = codes[first : first + channels]
            for c in range(channels):
                sums[c] += here[c]
            first += channels
        for c in range(channels):
            value = np.rint(np.float32(sums[c]) * multiplier)
            below += value < floor
            above += value > ceiling
            out[image, c] = np.int32(min(max(value, floor), ceiling)) + np.int32(zero_point)
    return below, above


def qlinear_global_average_pool(x: np.ndarray, multiplier: np.float32, zero_points: Pair, bounds: Pair) -> Requantized:
    """Return the codes of the mean of every channel, ``[batch, channels, 1, 1]`` of the type of ``x``.

    Args:
        x: raw 8-bit codes ``[batch, channels, height, width]``.
        multiplier: codes of the result per unit of a sum.
        zero_points: of ``x`` and of the result.
        bounds: smallest and largest code.
    """
    out = np.empty(x.shape[:2], x.dtype)
    below, above = bound_channel_means(flat(x, CHANNELS_LAST), x.shape, multiplier, zero_points, bounds, out)()
    return Requantized(codes=out[:, :, None, None], clipped_low=below, clipped_high=above)


def bound_channel_means(
    codes: np.ndarray, shape: tuple[int, ...], multiplier: np.float32, zero_points: Pair, bounds: Pair, out: np.ndarray
) -> Callable[[], tuple[int, int]]:
    """Return a call that writes ``out [batch, channels]`` and returns how many were clipped below and above.

    Args:
        codes: flat, channels innermost.
        shape: ``[batch, channels, height, width]``.
        multiplier: as in ``qlinear_global_average_pool``.
        zero_points: likewise.
        bounds: likewise.
        out: contiguous.
    """
    codes.flags.writeable = False  # arrays that can be written are a type of their own to numba
    return partial(_channel_means, codes, shape[2] * shape[3], zero_points[0], multiplier, zero_points[1], *bounds, out)
