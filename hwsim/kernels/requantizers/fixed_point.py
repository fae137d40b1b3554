"""Fast twin of ``hwsim.numerics.requantizers.fixed_point`` and ``power_of_two``, for every rounding.

Every rounding of ``p / 2^s`` is ``(p + offset) >> s`` with an offset that depends on the sign and the parity of ``p >> s``
only: ``base + negative * (p < 0) + odd * (p >> s & 1)``. So one loop serves them all and has no branch.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.kernels.operands import magnitude
from hwsim.kernels.requantizers import _common_shift
from hwsim.kernels.requantizers._overflow import with_overflow
from hwsim.kernels.requantizers._wide_product import increments, wide_requantize
from hwsim.kernels.requantizers._work import Codes, Columns
from hwsim.numerics.rounding import Rounding

INT64_SAFE = 1 << 62


@kernel
def _narrow(
    acc: Any, multiplier: Any, shift: Any, offsets: Any, zero_point: Any, low: Any, high: Any, codes: Any
) -> Any:
    """Write the codes of ``acc [rows, n]``; return how many were clipped at either end. Nothing leaves 64 bits."""
    rows, n = acc.shape
    base, negative, odd = offsets[0], offsets[1], offsets[2]
    floor, ceiling = low - zero_point, high - zero_point
    below, above = 0, 0
    for i in range(rows):
        for j in range(n):
            product = acc[i, j] * multiplier[j]
            offset = base[j] + ((product >> 63) & negative[j]) + ((product >> shift[j]) & odd[j])
            value = (product + offset) >> shift[j]
            below += value < floor
            above += value > ceiling
            codes[i, j] = min(max(value, floor), ceiling) + zero_point
    return below, above


def offsets(shift: np.ndarray, rounding: Rounding) -> np.ndarray:
    """Return ``base, negative, odd`` as int64 ``[3, n]`` for shifts of 0 to 62 (int64 ``[n]``)."""
    one = np.int64(1)
    positive = (shift > 0).astype(np.int64)
    half, ones, none = positive << np.maximum(shift - 1, 0), (one << shift) - 1, np.zeros_like(shift)
    table = {
        Rounding.HALF_UP: (half, none, none),
        Rounding.HALF_AWAY: (half, -positive, none),
        Rounding.HALF_EVEN: (half - positive, none, positive),
        Rounding.FLOOR: (none, none, none),
        Rounding.CEIL: (ones, none, none),
        Rounding.TO_ZERO: (none, ones, none),
        Rounding.HALF_DOWN: (half - positive, none, none),
        Rounding.HALF_TO_ZERO: (half - positive, positive, none),
        Rounding.AWAY: (ones, -ones, none),
    }
    return np.stack(table[rounding])


def rounded(work: Columns, rounding: Rounding) -> Codes | None:
    """Return codes ``[rows, n]`` and the counts clipped at either end; None where 96 bits would not do."""
    low, high, zero_point, shift = work.low, work.high, work.zero_point, work.shift
    if max(abs(low), abs(high), abs(zero_point)) >= INT64_SAFE >> 1:
        return None
    peak, factor = magnitude(work.acc), magnitude(work.multiplier)
    left = max(-int(shift.min(initial=0)), 0)
    right = max(int(shift.max(initial=0)), 0)
    codes = np.empty(work.acc.shape, np.int32 if max(abs(low), abs(high)) < 1 << 31 else np.int64)
    if right <= 61 and ((peak * factor) << left) + (1 << right) < INT64_SAFE:
        scaled, kept = work.multiplier << np.maximum(-shift, 0), np.maximum(shift, 0)
        return codes, *_narrow(work.acc, scaled, kept, offsets(kept, rounding), zero_point, low, high, codes)
    if left or factor >= 1 << 31:
        return None
    added = increments(rounding)
    return codes, *wide_requantize(work.acc, work.multiplier, shift, added, zero_point, low, high, codes)


def requantize(work: Columns) -> Codes | None:
    """Return codes ``[rows, n]`` and the two clip counts, by the rounding and the overflow of the unit."""
    return with_overflow(work, rounded, work.unit.shift_rounding)


rescale_sum = partial(_common_shift.rescale_sum, requantize=requantize)
