"""Requantization where ``acc * multiplier`` needs up to 95 bits: the product as a high part and 32 low bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.numerics.rounding import Rounding, rounding_shift

LOW_BITS = 32
MASK = (1 << LOW_BITS) - 1
LONGEST = 94
FAR = 1 << 62


@kernel
def _divide(high: Any, low: Any, shift: Any) -> Any:
    """Return the floor of ``(high * 2^32 + low) / 2^shift``, cut at +-2^62, and how the rest compares with one half.

    The second number is 0 for no rest, 1 below one half, 2 for one half, 3 above it.
    """
    if shift == 0:
        if high >= FAR >> LOW_BITS or high < -(FAR >> LOW_BITS):
            return (FAR if high > 0 else -FAR), 0
        return (high << LOW_BITS) + low, 0
    if shift <= LOW_BITS:
        rest, half = low & ((1 << shift) - 1), 1 << (shift - 1)
        sticky = 0
        up = LOW_BITS - shift
        if high >= FAR >> up or high < -(FAR >> up):
            floor = FAR if high > 0 else -FAR
        else:
            floor = (high << up) + (low >> shift)
    else:
        beyond = min(shift, LONGEST) - LOW_BITS
        floor, rest, half, sticky = high >> beyond, high & ((1 << beyond) - 1), 1 << (beyond - 1), low
    if rest > half or (rest == half and sticky > 0):
        return floor, 3
    if rest == half:
        return floor, 2
    return floor, (1 if rest > 0 or sticky > 0 else 0)


def increments(rounding: Rounding) -> np.ndarray:
    """Return what ``rounding`` adds to a floor, int64 ``[4, 2, 2]``, from its definition on two places behind the point.

    Indices: how the rest compares with one half, as ``_divide`` tells; whether the floor is negative; whether it is odd.

    >>> increments(Rounding.HALF_EVEN)[2].tolist()
    [[0, 1], [0, 1]]
    """
    table = np.zeros((4, 2, 2), np.int64)
    for floor in (-2, -1, 0, 1):
        for place in range(4):
            table[place, int(floor < 0), floor & 1] = rounding_shift(4 * floor + place, 2, rounding) - floor
    return table


@kernel
def wide_requantize(
    acc: Any, multiplier: Any, shift: Any, added: Any, zero_point: Any, low: Any, high: Any, codes: Any
) -> Any:
    """Write the codes of ``acc`` and return how many were clipped at either end.

    Args:
        acc: int64 ``[rows, n]``, any value.
        multiplier: int64 ``[n]``, magnitude below 2^31.
        shift: int64 ``[n]``, not negative; beyond 94 bits a product is less than one half of a step.
        added: ``increments`` of the rounding.
        zero_point: added after rounding; like the bounds below 2^61.
        low: smallest code.
        high: largest code.
        codes: integers ``[rows, n]``, written.
    """
    rows, n = acc.shape
    floor_limit, ceiling = low - zero_point, high - zero_point
    below, above = 0, 0
    for i in range(rows):
        for j in range(n):
            upper, lower = (acc[i, j] >> LOW_BITS) * multiplier[j], (acc[i, j] & MASK) * multiplier[j]
            upper, lower = upper + (lower >> LOW_BITS), lower & MASK
            value, place = _divide(upper, lower, shift[j])
            if shift[j] > LONGEST and place > 0:
                place = 1 if upper >= 0 else 3
            value += added[place, 1 if upper < 0 else 0, value & 1]
            below += value < floor_limit
            above += value > ceiling
            codes[i, j] = min(max(value, floor_limit), ceiling) + zero_point
    return below, above
