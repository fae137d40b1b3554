"""i-exp and i-softmax: ``exp(x) = 2^-z L(p)`` with ``x = p - z ln 2``, ``L(p) = 0.3585 (p + 1.353)^2 + 0.344`` (algorithm 3).

Codes are moved to a scale in ``[2^-14, 2^-13)``: ``L`` then has at most 30 bits. Exponentials keep 16 bits, a row's sum 32 (rows
of up to 65536); one division ``floor(2^32 / sum)`` gives the factor, results have 16 bits below 1.
Largest error of the polynomial: 0.0019 of the exponential on ``(-ln 2, 0]``.
"""

from __future__ import annotations

import math

import numpy as np

from hwsim.errors import HwsimError
from hwsim.numerics.vector.ibert.polynomial import REGISTER_BITS, IntegerPolynomial, moved, places_to

A, B, C = 0.3585, 1.353, 0.344
FINEST = 2.0**-14
KEPT_BITS = 16
DROPPED_BITS = 14
LONGEST = 1 << 16
SMALLEST_POWER = 31
RESULT_SCALE = 2.0**-KEPT_BITS


def integer_exp(codes: np.ndarray, scale: float) -> np.ndarray:
    """Return ``exp`` of centred codes up to 0, int64 of at most 16 bits; only their proportions mean anything.

    Args:
        codes: integers up to 0.
        scale: real value of one code step.

    >>> values = integer_exp(np.array([0, -10, -20]), 0.1)
    >>> (values / values[0]).round(3).tolist()
    [1.0, 0.368, 0.135]
    """
    places = places_to(scale, FINEST)
    fine = math.ldexp(scale, -places)
    below = moved(codes, places)
    step = math.floor(math.log(2) / fine)
    powers = -below // step
    values = IntegerPolynomial.of(A, B, C, fine)(below + powers * step)
    return np.asarray(values >> np.minimum(powers, SMALLEST_POWER) >> DROPPED_BITS)


def integer_softmax(codes: np.ndarray, scale: float) -> np.ndarray:
    """Return the softmax of every row, int64 ``[rows, n]`` of scale ``RESULT_SCALE``.

    Args:
        codes: integers ``[rows, n]``; a zero point cancels.
        scale: real value of one code step.

    Raises:
        HwsimError: rows longer than 65536, whose sums may leave 32 bits.

    >>> (integer_softmax(np.array([[0, 0, 10, 20]]), 0.1) * RESULT_SCALE).round(3).tolist()
    [[0.082, 0.082, 0.225, 0.611]]
    """
    wide = np.asarray(codes, np.int64)
    if wide.shape[1] > LONGEST:
        raise HwsimError(
            f"i-softmax: rows of {wide.shape[1]} may overflow a 32-bit sum of {KEPT_BITS}-bit exponentials; at most {LONGEST}"
        )
    terms = integer_exp(wide - wide.max(axis=1, keepdims=True), scale)
    factor = (1 << REGISTER_BITS) // terms.sum(axis=1, keepdims=True)
    return np.asarray((terms * factor) >> (REGISTER_BITS - KEPT_BITS))
