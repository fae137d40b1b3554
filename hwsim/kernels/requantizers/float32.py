"""Fast twin of ``hwsim.numerics.requantizers.float32``."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.kernels.operands import magnitude
from hwsim.numerics.requantizer import Requantizer

EXACT_IN_FLOAT32 = 1 << 24
EXACT_IN_FLOAT64 = 1 << 53


@kernel
def _narrow(acc: Any, multiplier: Any, zero_point: Any, low: Any, high: Any, codes: Any) -> Any:
    """Write the codes of ``acc [rows, n]``; return how many were clipped at either end. Bounds are exact in float32."""
    rows, n = acc.shape
    floor, ceiling = np.float32(low - zero_point), np.float32(high - zero_point)
    below, above = 0, 0
    for i in range(rows):
        for j in range(n):
            value = np.rint(np.float32(acc[i, j]) * multiplier[j])
            below += value < floor
            above += value > ceiling
            codes[i, j] = np.int32(min(max(value, floor), ceiling)) + np.int32(zero_point)
    return below, above


def requantize(
    acc: np.ndarray,
    multiplier: np.ndarray,
    shift: np.ndarray,
    unit: Requantizer,
    zero_point: int,
    low: int,
    high: int,
) -> tuple[np.ndarray, int, int] | None:
    """Return codes ``[rows, n]`` and the counts clipped at ``low`` and ``high``; None where bounds pass float64's 53 bits.

    Args:
        acc: int64 ``[rows, n]``.
        multiplier: float32 ``[n]``.
        shift: not read.
        unit: not read.
        zero_point: added after rounding.
        low: smallest code.
        high: largest code.
    """
    widest = max(abs(low - zero_point), abs(high - zero_point), abs(low), abs(high), abs(zero_point))
    if widest <= EXACT_IN_FLOAT32:
        if magnitude(acc) <= np.iinfo(np.int32).max:
            acc = acc.astype(np.int32)
        codes = np.empty(acc.shape, np.int32)
        return codes, *_narrow(acc, multiplier, zero_point, low, high, codes)
    if widest > EXACT_IN_FLOAT64:
        return None
    with np.errstate(over="ignore", under="ignore"):
        values = np.rint(acc.astype(np.float32) * multiplier).astype(np.float64)
    below, above = int((values < low - zero_point).sum()), int((values > high - zero_point).sum())
    return np.clip(values, low - zero_point, high - zero_point).astype(np.int64) + zero_point, below, above
