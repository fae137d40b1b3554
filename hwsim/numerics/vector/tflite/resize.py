"""RESIZE_BILINEAR: places and weights with 10 fractional bits for int8 and int16, float32 for uint8.

Signed results round half away from zero after 20 bits; unsigned ones add one half to a float32 sum of four products.
Source: ``tensorflow/lite/kernels/internal/reference/resize_bilinear.h``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.numerics.vector.tflite.fixed_point import round_half_away

FRACTION = 1 << 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Places:
    """Where the results of one axis lie between elements of the operand.

    Args:
        low: index of the element before, int64 ``[outputs]``.
        high: index of the element after.
        weight: how far behind ``low``: 10-bit integers or float32.
    """

    low: np.ndarray
    high: np.ndarray
    weight: np.ndarray


def integer_places(size: int, outputs: int, *, align_corners: bool, half_pixel: bool) -> Places:
    """Return the places of one axis of an int8 or int16 tensor, weights in 1/1024.

    >>> integer_places(4, 2, align_corners=False, half_pixel=True).weight.tolist()
    [512, 512]
    """
    if align_corners and outputs > 1:
        step = (FRACTION * (size - 1) + (outputs - 1) // 2) // (outputs - 1)
    else:
        step = (FRACTION * size + outputs // 2) // outputs
    place = np.arange(outputs, dtype=np.int64) * step
    if half_pixel:
        place += step // 2 - FRACTION // 2
    low = np.maximum(_towards_zero(place, FRACTION), 0)
    high = np.minimum(_towards_zero(place + FRACTION - 1, FRACTION), size - 1)
    return Places(low=low, high=high, weight=place - FRACTION * low)


def float_places(size: int, outputs: int, *, align_corners: bool, half_pixel: bool) -> Places:
    """Return the places of one axis of a uint8 tensor, weights in float32."""
    step = np.float32(size) / np.float32(outputs)
    if align_corners and outputs > 1:
        step = np.float32(size - 1) / np.float32(outputs - 1)
    place = np.arange(outputs, dtype=np.float32)
    place = (place + np.float32(0.5)) * step - np.float32(0.5) if half_pixel else place * step
    low = np.maximum(np.floor(place).astype(np.int64), 0)
    high = np.minimum(np.ceil(place).astype(np.int64), size - 1)
    return Places(low=low, high=high, weight=place - low.astype(np.float32))


def resize_bilinear(codes: np.ndarray, rows: Places, columns: Places) -> np.ndarray:
    """Return codes ``[batch, channels, height, width]`` at the given places, int64.

    Args:
        codes: integers ``[batch, channels, h, w]``; float32 weights need unsigned ones.
        rows: places along the height.
        columns: places along the width.
    """
    y, x = rows.weight[:, None], columns.weight[None, :]
    is_integer = y.dtype.kind == "i"
    one = FRACTION if is_integer else np.float32(1)
    wide = codes.astype(y.dtype)
    above, below = wide[:, :, rows.low], wide[:, :, rows.high]
    total = above[..., columns.low] * (one - y) * (one - x)
    total = total + below[..., columns.low] * y * (one - x)
    total = total + above[..., columns.high] * (one - y) * x
    total = total + below[..., columns.high] * y * x
    if not is_integer:
        return np.asarray(round_half_away(total).astype(np.int64))
    half = np.where(total > 0, FRACTION * FRACTION // 2, -FRACTION * FRACTION // 2)
    return _towards_zero(total + half, FRACTION * FRACTION)


def _towards_zero(values: np.ndarray, divisor: int) -> np.ndarray:
    return np.asarray(np.sign(values) * (np.abs(values) // divisor))
