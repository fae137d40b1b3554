"""Rescaling by a 31-bit multiplier and a shift, twice rounded, on whole arrays; and rounding of reals, halves away from zero.

The definition on unbounded integers is ``hwsim.numerics.requantizers._double_rounding.double_rounding``.
"""

from __future__ import annotations

import math

import numpy as np

from hwsim.numerics.requantizers._double_rounding import FRACTION_BITS, quantize_multiplier

INT32_TOP = 1 << 31


def multiplier_of(real: float) -> tuple[int, int]:
    """Return multiplier and right shift of one real scale: ``real = multiplier * 2^-shift`` (``QuantizeMultiplier``).

    >>> multiplier_of(0.75)
    (1610612736, 31)
    """
    made = quantize_multiplier(np.array([real]))
    return int(made.multiplier[0]), int(made.shift[0])


def high_product(values: np.ndarray, multiplier: int | np.ndarray) -> np.ndarray:
    """Return the upper half of the doubled product of 32-bit integers, ties up (``SaturatingRoundingDoublingHighMul``).

    >>> high_product(np.array([-1, 1, -(2**31)]), np.array([2**30, 2**30, -(2**31)])).tolist()
    [0, 1, 2147483647]
    """
    high = np.asarray(values, np.int64) * np.asarray(multiplier, np.int64)
    high += 1 << (FRACTION_BITS - 1)
    high >>= FRACTION_BITS
    return np.minimum(high, INT32_TOP - 1)  # only -2^31 * -2^31 goes beyond


def divide_by_power(values: np.ndarray, places: int | np.ndarray) -> np.ndarray:
    """Return ``values / 2^places``, ties away from zero (``RoundingDivideByPOT``); int64.

    >>> divide_by_power(np.array([-3, -2, 2, 3]), 1).tolist()
    [-2, -1, 1, 2]
    """
    wide = np.asarray(values, np.int64)
    half = np.left_shift(np.int64(1), places) >> 1
    rounded = np.right_shift(wide + half - ((wide < 0) & (half > 0)), places)
    return np.asarray(rounded)


def rescale(values: np.ndarray, multiplier: int, shift: int) -> np.ndarray:
    """Return ``values * multiplier / 2^shift`` rounded twice (``MultiplyByQuantizedMultiplier``); int64.

    >>> rescale(np.array([-2, -1, 1, 2, 300]), 1 << 30, 32).tolist()
    [-1, 0, 1, 1, 75]
    """
    left = max(FRACTION_BITS - shift, 0)
    entered = (np.asarray(values, np.int64) << left).astype(np.int32)  # wraps, as the register does
    return divide_by_power(high_product(entered, multiplier), max(shift - FRACTION_BITS, 0))


def round_half_away(values: np.ndarray) -> np.ndarray:
    """Return ``std::round`` of float values, in their own type.

    >>> round_half_away(np.array([-2.5, -0.5, 0.49999997, 2.5], np.float32)).tolist()
    [-3.0, -1.0, 0.0, 3.0]
    """
    whole = np.trunc(values)
    away = np.abs(values - whole) >= values.dtype.type(0.5)
    return np.asarray(whole + np.copysign(away, values))


def round_one(value: float) -> int:
    """Return ``std::round`` of one number.

    >>> round_one(-2.5), round_one(2.4)
    (-3, 2)
    """
    return int(math.copysign(math.floor(abs(value) + 0.5), value))
