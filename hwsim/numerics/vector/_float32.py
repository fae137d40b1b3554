"""Float32 operations that numpy lacks or does not round alike everywhere, as definitions on rational numbers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

SIGNIFICAND_BITS = 24
SMALLEST_EXPONENT = -149
LARGEST_EXPONENT = 104


def nearest_float32(value: Fraction) -> np.float32:
    """Return the float32 nearest to a rational number, ties to even, in one rounding; infinity beyond the range.

    >>> float(nearest_float32(Fraction(2**24 + 1))), float(nearest_float32(Fraction(1, 3)))
    (16777216.0, 0.3333333432674408)
    """
    size = abs(value)
    if not size:
        return np.float32(0)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    exponent += Fraction(2) ** exponent <= size
    last = max(exponent - SIGNIFICAND_BITS, SMALLEST_EXPONENT)
    significand = round(size / Fraction(2) ** last)  # Python rounds half to even
    if significand == 1 << SIGNIFICAND_BITS:
        significand, last = significand >> 1, last + 1
    if last > LARGEST_EXPONENT:
        return np.float32(np.inf if value > 0 else -np.inf)
    return np.float32(np.ldexp(float(significand if value > 0 else -significand), last))


def fma_one(a: float | np.float32, b: float | np.float32, c: float | np.float32) -> np.float32:
    """Return ``f32(a * b + c)`` of finite float32 values, rounded once (IEEE 754 fusedMultiplyAdd; an exact 0 is +0).

    >>> float(fma_one(1 + 2**-12, 1 + 2**-12, -1.0)) == 2**-11 + 2**-24
    True
    """
    return nearest_float32(Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c)))
