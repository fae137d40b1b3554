"""i-erf and i-GELU: ``erf(x) = sgn(x) (a (min(|x|, -b) + b)^2 + 1)``, ``GELU(x) = x (erf(x / sqrt 2) + 1) / 2``.

``a = -0.2888``, ``b = -1.769`` (algorithm 2). Largest error of the polynomial itself: 0.0182 for GELU on all of the real line.
The codes are moved so that ``code * (erf + 1)``, the widest integer, just fits 32 bits.
"""

from __future__ import annotations

import math

import numpy as np

from hwsim.numerics.vector.ibert.polynomial import LARGEST, IntegerPolynomial, moved, places_to

A, B, C = -0.2888, -1.769, 1.0


def _erf(codes: np.ndarray, scale: float) -> tuple[np.ndarray, float]:
    polynomial = IntegerPolynomial.of(A, B, C, scale)
    size = np.minimum(np.abs(codes), -polynomial.shift)
    return np.sign(codes) * polynomial(size), polynomial.scale


def _finest(widest: int) -> float:
    """Return the finest operand scale whose polynomial of magnitude ``1 / (-a S^2) + 1`` times ``widest`` fits 32 bits."""
    return math.sqrt(widest / (-A * (LARGEST - widest)))


def integer_erf(codes: np.ndarray, scale: float) -> tuple[np.ndarray, float]:
    """Return integers and their (positive) scale for ``erf`` of centred codes.

    Args:
        codes: integers of any shape, of at most 24 bits.
        scale: real value of one code step.

    >>> values, unit = integer_erf(np.array([-40, 0, 10]), 0.1)
    >>> (values * unit).round(3).tolist()
    [-1.0, 0.0, 0.829]
    """
    places = places_to(scale, _finest(2))
    values, unit = _erf(moved(codes, places), math.ldexp(scale, -places))
    return -values, -unit


def integer_gelu(codes: np.ndarray, scale: float, widest: int) -> tuple[np.ndarray, float]:
    """Return integers and their (positive) scale for GELU of centred codes.

    Args:
        codes: integers of any shape, of at most 24 bits.
        scale: real value of one code step.
        widest: largest magnitude of a centred code of this grid.

    >>> values, unit = integer_gelu(np.array([-40, -10, 0, 10, 40]), 0.1, 128)
    >>> (values * unit).round(3).tolist()
    [0.0, -0.163, 0.0, 0.837, 4.0]
    """
    places = places_to(scale / math.sqrt(2), _finest(2 * widest + 2))
    values, unit = _erf(moved(codes, places), math.ldexp(scale / math.sqrt(2), -places))
    one = math.floor(1 / unit)
    return -np.asarray(codes, np.int64) * (values + one), -scale * unit / 2
