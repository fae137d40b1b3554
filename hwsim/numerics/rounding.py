"""Rounding of an integer division by a power of two, by names that cannot be misread. Definitions on Python integers."""

from __future__ import annotations

from enum import StrEnum


class Rounding(StrEnum):
    """How a value between two integers is rounded."""

    HALF_EVEN = "half_even"
    HALF_AWAY = "half_away"
    HALF_UP = "half_up"
    FLOOR = "floor"
    CEIL = "ceil"
    TO_ZERO = "to_zero"


def rounding_shift(value: int, shift: int, rounding: Rounding) -> int:
    """Return ``value / 2^shift`` rounded to an integer; a negative shift multiplies.

    ``half_up`` is the cheap hardware's add-half-and-shift: ties go towards +infinity.

    >>> [rounding_shift(v, 1, Rounding.HALF_UP) for v in (-3, -1, 1, 3)]
    [-1, 0, 1, 2]
    >>> [rounding_shift(v, 1, Rounding.HALF_EVEN) for v in (-3, -1, 1, 3)]
    [-2, 0, 0, 2]
    >>> [rounding_shift(v, 1, Rounding.HALF_AWAY) for v in (-3, -1, 1, 3)]
    [-2, -1, 1, 2]
    """
    if shift <= 0:
        return value << -shift
    floor = value >> shift
    remainder = value - (floor << shift)
    half = 1 << (shift - 1)
    if rounding is Rounding.FLOOR:
        return floor
    if rounding is Rounding.CEIL:
        return floor + (remainder > 0)
    if rounding is Rounding.TO_ZERO:
        return floor + (value < 0 and remainder > 0)
    if remainder != half:
        return floor + (remainder > half)
    if rounding is Rounding.HALF_UP:
        return floor + 1
    if rounding is Rounding.HALF_AWAY:
        return floor + (value >= 0)
    return floor + (floor & 1)
