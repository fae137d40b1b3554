"""i-poly: ``a (x + b)^2 + c`` on integers of scale S is ``(q + qb)^2 + qc`` of scale ``a S^2`` (algorithm 1)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

REGISTER_BITS = 32
LARGEST = (1 << (REGISTER_BITS - 1)) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegerPolynomial:
    """A second-order polynomial on a grid.

    Args:
        shift: ``floor(b / S)``.
        constant: ``floor(c / (a S^2))``.
        scale: ``a S^2``, the real value of 1; negative where ``a`` is.
    """

    shift: int
    constant: int
    scale: float

    @classmethod
    def of(cls, a: float, b: float, c: float, scale: float) -> IntegerPolynomial:
        """Return the polynomial with coefficients ``a``, ``b``, ``c`` on the scale of its operand.

        >>> IntegerPolynomial.of(0.5, 1.0, 2.0, 0.25)
        IntegerPolynomial(shift=4, constant=64, scale=0.03125)
        """
        unit = a * scale * scale
        return cls(shift=math.floor(b / scale), constant=math.floor(c / unit), scale=unit)

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Return ``(codes + shift)^2 + constant``, int64."""
        moved = np.asarray(codes, np.int64) + self.shift
        return np.asarray(moved * moved + self.constant)


def moved(codes: np.ndarray, places: int) -> np.ndarray:
    """Return ``codes * 2^places`` as int64; bits that a negative number of places drops are cut off (floor)."""
    wide = np.asarray(codes, np.int64)
    return np.asarray(wide << places if places >= 0 else wide >> -places)


def places_to(scale: float, finest: float) -> int:
    """Return how far to move codes left so that their scale lies in ``[finest, 2 finest)``; negative is to the right.

    >>> places_to(1.0, 2.0**-14), places_to(2.0**-16, 2.0**-14)
    (14, -2)
    """
    return math.floor(math.log2(scale / finest))
