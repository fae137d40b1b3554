"""Exponential and reciprocal in 32-bit fixed point, on whole arrays; ``Qm.n`` has m integer bits beside the sign.

Every product is ``high_product``, which adds the integer bits of its operands. Constants are the functions' values rounded to
their format. Source: gemmlowp, ``fixedpoint/fixedpoint.h``.
"""

from __future__ import annotations

import math

import numpy as np

from hwsim.numerics.vector.tflite.fixed_point import INT32_TOP, divide_by_power, high_product, round_one

ONE = INT32_TOP - 1  # 1 in Q0.31 is out of range by one
EXPONENT_BITS = 5
FRACTION_BITS = 31 - EXPONENT_BITS
QUARTER = 1 << (FRACTION_BITS - 2)
POWERS = tuple(round_one(math.exp(-(2.0**power)) * INT32_TOP) for power in range(-2, EXPONENT_BITS))
EIGHTH = round_one(math.exp(-1 / 8) * INT32_TOP)
THIRD = round_one(INT32_TOP / 3)
NEWTON_START = round_one(48 / 17 * (1 << 29))
NEWTON_SLOPE = round_one(-32 / 17 * (1 << 29))
NEWTON_STEPS = 3


def _saturating_raise(values: np.ndarray, places: int) -> np.ndarray:
    return np.clip(values << places, -INT32_TOP, ONE)


def _exp_of_quarter(values: np.ndarray) -> np.ndarray:
    """Return ``exp`` of Q0.31 numbers in [-1/4, 0): four terms of Taylor's series around -1/8."""
    x = values + (1 << 28)
    square = high_product(x, x)
    cube, fourth = high_product(square, x), high_product(square, square)
    tail = divide_by_power(high_product(divide_by_power(fourth, 2) + cube, THIRD) + square, 1)
    return EIGHTH + high_product(x + tail, EIGHTH)


def exp_of_negative(values: np.ndarray) -> np.ndarray:
    """Return ``exp`` of Q5.26 numbers up to 0, in Q0.31, int64.

    The part below 1/4 goes through a series, each bit above it multiplies with its power of e.

    >>> [round(int(code) * 2.0**-31, 7) for code in exp_of_negative(np.array([-(3 << 26), -(1 << 25), 0]))]
    [0.0497871, 0.6065308, 1.0]
    """
    a = np.asarray(values, np.int64)
    rest = (a & (QUARTER - 1)) - QUARTER
    result = _exp_of_quarter(_saturating_raise(rest, EXPONENT_BITS))
    remainder = rest - a
    for place, power in enumerate(POWERS):
        bit = remainder & (QUARTER << place)
        result = np.where(bit != 0, high_product(result, power), result)
    return np.where(a == 0, ONE, result)


def reciprocal_of_one_plus(values: np.ndarray) -> np.ndarray:
    """Return ``1 / (1 + x)`` of Q0.31 numbers in [0, 1), in Q0.31, int64: three Newton steps on half the denominator.

    >>> [round(int(code) * 2.0**-31, 7) for code in reciprocal_of_one_plus(np.array([0, 1 << 30]))]
    [1.0, 0.6666667]
    """
    total = np.asarray(values, np.int64) + ONE
    half = (total + 1) >> 1  # total is positive
    x = NEWTON_START + high_product(half, NEWTON_SLOPE)  # Q2.29
    for _ in range(NEWTON_STEPS):
        error = (1 << 29) - high_product(half, x)
        x = x + _saturating_raise(high_product(x, error), 2)
    return _saturating_raise(x, 1)
