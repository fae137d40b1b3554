"""Requantization where ``acc * multiplier`` needs up to 95 bits: the product as a high part and 32 low bits."""

from __future__ import annotations

from typing import Any

from hwsim.kernels.cache import kernel
from hwsim.numerics.rounding import Rounding

HALF_EVEN, HALF_AWAY, HALF_UP, FLOOR, CEIL, TO_ZERO = (
    list(Rounding).index(Rounding[name]) for name in ("HALF_EVEN", "HALF_AWAY", "HALF_UP", "FLOOR", "CEIL", "TO_ZERO")
)
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


@kernel
def _increment(rounding: Any, floor: Any, place: Any, is_negative: Any) -> Any:
    """Return 0 or 1: what ``rounding`` adds to the floor."""
    if rounding == FLOOR or place == 0:
        return 0
    if rounding == CEIL:
        return 1
    if rounding == TO_ZERO:
        return 1 if is_negative else 0
    if place != 2:
        return 1 if place == 3 else 0
    if rounding == HALF_UP:
        return 1
    if rounding == HALF_AWAY:
        return 0 if is_negative else 1
    return floor & 1


@kernel
def wide_requantize(
    acc: Any, multiplier: Any, shift: Any, rounding: Any, zero_point: Any, low: Any, high: Any, codes: Any
) -> Any:
    """Write the codes of ``acc`` and return how many were clipped at either end.

    Args:
        acc: int64 ``[rows, n]``, any value.
        multiplier: int64 ``[n]``, magnitude below 2^31.
        shift: int64 ``[n]``, not negative; beyond 94 bits a product is less than one half of a step.
        rounding: index of a ``Rounding``.
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
            value += _increment(rounding, value, place, upper < 0)
            below += value < floor_limit
            above += value > ceiling
            codes[i, j] = min(max(value, floor_limit), ceiling) + zero_point
    return below, above
