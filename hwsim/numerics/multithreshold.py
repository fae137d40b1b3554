"""Counting thresholds: how FINN goes from an accumulator to codes without a multiplier.

``y = #{i : x >= T_i}`` (Umuroglu et al., FINN, FPGA 2017; ``qonnx.custom_op.general.multithreshold``). On a grid of scale
``s`` the comparison is one of integers: the centred code ``k`` reaches ``T`` from a least integer on. In exact arithmetic
that is ``ceil(T / s)``; QONNX compares decoded float32 values, so a code whose ``float32(k s)`` rounds up to ``T`` reaches
it too. Both agree for scales that are powers of two. Codes beyond 2^24, which float32 does not hold, are compared exactly.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, inf, isnan

import numpy as np

NEVER = (1 << 63) - 1
ALWAYS = -(1 << 63)
EXACT_IN_FLOAT32 = 1 << 24


def least_code(threshold: float, scale: float) -> int:
    """Return the least centred code ``k`` whose real value ``scale * k`` reaches ``threshold``.

    Args:
        threshold: a float32 number; infinity is never reached, minus infinity always, NaN never.
        scale: a positive float32 number.

    >>> least_code(2.5, 1.0), least_code(-2.5, 0.5), least_code(float("inf"), 1.0) == NEVER
    (3, -5, True)
    >>> least_code(float(np.float32(0.3)), float(np.float32(0.1)))  # 0.1f * 3 is below 0.3f, and rounds to it in float32
    3
    """
    if isnan(threshold) or threshold == inf:
        return NEVER
    if threshold == -inf:
        return ALWAYS
    least = ceil(Fraction(threshold) / Fraction(scale))
    unit = np.float32(scale)
    while abs(least - 1) <= EXACT_IN_FLOAT32 and np.float32(least - 1) * unit >= threshold:
        least -= 1
    return min(max(least, ALWAYS), NEVER)


def least_codes(thresholds: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Return ``least_code`` of every threshold as int64 ``[channels, count]``, ascending in every row.

    Args:
        thresholds: float32 ``[channels, count]``, one row where all channels share them.
        scales: float32 ``[1]`` or one per channel.
    """
    channels = max(len(thresholds), scales.size)
    rows = np.broadcast_to(thresholds, (channels, thresholds.shape[1])).tolist()
    units = np.broadcast_to(scales.astype(np.float64), (channels,)).tolist()
    found = [[least_code(threshold, unit) for threshold in row] for row, unit in zip(rows, units, strict=True)]
    return np.sort(np.array(found, dtype=np.int64).reshape(channels, -1), axis=1)


def count_reached(values: np.ndarray, thresholds: np.ndarray, axis: int) -> np.ndarray:
    """Return for every element how many thresholds of its channel it reaches, as int64; NaN reaches none.

    Args:
        values: any shape, integers or floating point.
        thresholds: ``[channels, count]`` of the same kind, or one row for all channels, in any order.
        axis: the channels of ``values``.

    >>> count_reached(np.array([[-1.0, 0.0, 7.0]]), np.array([[0.0, 2.0]]), 1).tolist()
    [[0, 1, 2]]
    """
    ordered = [row[~np.isnan(row)] for row in np.sort(thresholds, axis=1)]
    if len(ordered) == 1:
        counts = np.searchsorted(ordered[0], values, side="right")
    else:
        moved = np.moveaxis(values, axis, 0)
        found = [np.searchsorted(row, part, side="right") for row, part in zip(ordered, moved, strict=True)]
        counts = np.moveaxis(np.array(found, dtype=np.int64).reshape(moved.shape), 0, axis)
    return np.where(np.isnan(values), 0, counts).astype(np.int64)
