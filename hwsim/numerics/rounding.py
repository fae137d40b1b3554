"""Rounding to integers, by names that cannot be misread: of a shifted integer, and of a real number. Both are exact.

``half_*`` names say what happens to a number in the middle of two integers; everything else goes to the nearer one. The
others are directed: ``floor`` and ``ceil`` down and up, ``to_zero`` and ``away`` by magnitude.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np


class Rounding(StrEnum):
    """How a value between two integers is rounded."""

    HALF_EVEN = "half_even"
    HALF_AWAY = "half_away"
    HALF_UP = "half_up"
    FLOOR = "floor"
    CEIL = "ceil"
    TO_ZERO = "to_zero"
    HALF_DOWN = "half_down"
    HALF_TO_ZERO = "half_to_zero"
    AWAY = "away"


DIRECTED = frozenset({Rounding.FLOOR, Rounding.CEIL, Rounding.TO_ZERO, Rounding.AWAY})


def rounding_shift(value: int, shift: int, rounding: Rounding) -> int:
    """Return ``value / 2^shift`` rounded to an integer; a negative shift multiplies.

    ``half_up`` is the cheap hardware's add-half-and-shift: ties go towards +infinity.

    >>> {mode.value: [rounding_shift(v, 1, mode) for v in (-3, -1, 1, 3)] for mode in Rounding if "half" in mode}
    ... # doctest: +NORMALIZE_WHITESPACE
    {'half_even': [-2, 0, 0, 2], 'half_away': [-2, -1, 1, 2], 'half_up': [-1, 0, 1, 2],
     'half_down': [-2, -1, 0, 1], 'half_to_zero': [-1, 0, 0, 1]}
    >>> {mode.value: [rounding_shift(v, 2, mode) for v in (-5, -3, 3, 5)] for mode in sorted(DIRECTED)}
    {'away': [-2, -1, 1, 2], 'ceil': [-1, 0, 1, 2], 'floor': [-2, -1, 0, 1], 'to_zero': [-1, 0, 0, 1]}
    """
    if shift <= 0:
        return value << -shift
    floor = value >> shift
    remainder = value - (floor << shift)
    half = 1 << (shift - 1)
    if rounding in DIRECTED:
        goes_up = {
            Rounding.FLOOR: False,
            Rounding.CEIL: True,
            Rounding.TO_ZERO: value < 0,
            Rounding.AWAY: value > 0,
        }
        return floor + (remainder > 0 and goes_up[rounding])
    if remainder != half:
        return floor + (remainder > half)
    tie_goes_up = {
        Rounding.HALF_UP: True,
        Rounding.HALF_DOWN: False,
        Rounding.HALF_AWAY: value > 0,
        Rounding.HALF_TO_ZERO: value < 0,
        Rounding.HALF_EVEN: bool(floor & 1),
    }
    return floor + tie_goes_up[rounding]


def round_real(real: np.ndarray, rounding: Rounding) -> np.ndarray:
    """Return ``real`` (any floating type) rounded to integers of its own type; infinities and NaN stay.

    The fraction is split from the integer part without loss, so that 0.49999999999999994 is not taken for a half, as it is
    by ``floor(x + 0.5)``.

    >>> round_real(np.array([-2.5, -0.5, 0.49999999999999994, 0.5, 1.5]), Rounding.HALF_UP).tolist()
    [-2.0, -0.0, 0.0, 1.0, 2.0]
    """
    values = np.asarray(real)
    if rounding is Rounding.HALF_EVEN:
        return np.rint(values)
    if rounding is Rounding.FLOOR:
        return np.floor(values)
    if rounding is Rounding.CEIL:
        return np.ceil(values)
    whole = np.trunc(values)
    if rounding is Rounding.TO_ZERO:
        return whole
    with np.errstate(invalid="ignore"):
        fraction = np.abs(values - whole)
    if rounding is Rounding.AWAY:
        outward = fraction > 0
    else:
        tie_goes_outward = {
            Rounding.HALF_AWAY: np.True_,
            Rounding.HALF_TO_ZERO: np.False_,
            Rounding.HALF_UP: values > 0,
            Rounding.HALF_DOWN: values < 0,
        }
        outward = (fraction > 0.5) | ((fraction == 0.5) & tie_goes_outward[rounding])
    return whole + np.copysign(outward.astype(values.dtype), values)
