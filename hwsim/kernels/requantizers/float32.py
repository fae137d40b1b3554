"""Fast twin of ``hwsim.numerics.requantizers.float32``."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.kernels.operands import magnitude
from hwsim.kernels.requantizers._work import Codes, Columns, Terms

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


def requantize(work: Columns) -> Codes | None:
    """Return codes ``[rows, n]`` and the two clip counts; None where bounds pass float64's 53 bits.

    The multiplier is float32, the shift is not read.
    """
    low, high, zero_point, acc = work.low, work.high, work.zero_point, work.acc
    widest = max(abs(low - zero_point), abs(high - zero_point), abs(low), abs(high), abs(zero_point))
    if widest <= EXACT_IN_FLOAT32:
        if magnitude(acc) <= np.iinfo(np.int32).max:
            acc = acc.astype(np.int32)
        codes = np.empty(acc.shape, np.int32)
        return codes, *_narrow(acc, work.multiplier, zero_point, low, high, codes)
    if widest > EXACT_IN_FLOAT64:
        return None
    with np.errstate(over="ignore", under="ignore"):
        return _clipped(np.rint(acc.astype(np.float32) * work.multiplier), zero_point, low, high)


def rescale_sum(terms: Terms) -> Codes | None:
    """Add in operand order, every operation rounded to float32; None where a bound or a sum leaves what is exact."""
    if max(abs(terms.low), abs(terms.high), abs(terms.zero_point)) >= EXACT_IN_FLOAT64 >> 1:
        return None
    arrays, ratios = terms.tensors, terms.constants.multiplier
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        total = arrays[0].astype(np.float32) * ratios[0]
        for array, ratio in zip(arrays[1:], ratios[1:], strict=True):
            total += array.astype(np.float32) * ratio
    if np.isnan(total).any():
        return None
    return _clipped(np.rint(total), terms.zero_point, terms.low, terms.high)


def _clipped(whole: np.ndarray, zero_point: int, low: int, high: int) -> Codes:
    """Return int64 codes of float32 integers, and how many lay beyond either end."""
    values, floor, ceiling = whole.astype(np.float64), low - zero_point, high - zero_point
    codes = np.clip(values, floor, ceiling).astype(np.int64) + zero_point
    return codes, int((values < floor).sum()), int((values > ceiling).sum())
