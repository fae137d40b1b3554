"""SOFTMAX of 16-bit codes in integers: an interpolated exponential, their sum, an interpolated reciprocal (also CMSIS-NN).

Differences to the maximum are rescaled so that -65535 is -10; exponentials are Q0.15, their sum Q16.15. Its leading bits give
``1 / (1 + x)`` with ``x`` in [0, 1), again Q0.15. Source: ``tensorflow/lite/kernels/internal/reference/softmax.h: SoftmaxInt16``
and ``arm_softmax_s16``.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from hwsim.numerics.vector.tflite.fixed_point import multiplier_of, rescale
from hwsim.numerics.vector.tflite.interpolated import interpolate, interpolation_table

RANGE = 10.0
TOP = 32767


@cache
def _exponential() -> np.ndarray:
    return interpolation_table(math.exp, -RANGE, 0.0)


@cache
def _reciprocal() -> np.ndarray:
    return interpolation_table(lambda x: 1.0 / (1.0 + x), 0.0, 1.0)


def softmax_int16(codes: np.ndarray, scale: float) -> np.ndarray:
    """Return the codes of every row, int64 ``[rows, n]`` in 0 .. 32767 (the result's scale is 1/32768).

    Args:
        codes: 16-bit codes ``[rows, n]``; a zero point cancels.
        scale: of the operand.

    >>> softmax_int16(np.array([[0, 0, -32768]]), 1e-3).tolist()
    [[16384, 16384, 1]]
    """
    wide = codes.astype(np.int64)
    multiplier, shift = multiplier_of(float(np.float32(scale)) / (RANGE / 65535.0))
    places = rescale(wide - wide.max(axis=1, keepdims=True), multiplier, shift) + TOP
    terms = interpolate(_exponential(), np.clip(places, -TOP - 1, TOP))
    sums = terms.sum(axis=1, keepdims=True)
    bits = np.frexp(sums.astype(np.float64))[1].astype(np.int64)  # exact: sums have fewer than 53 bits
    mantissa = ((sums << (31 - bits)) + (1 << 13)) >> 14  # 1.16 bits, from 65536 on
    reciprocal = interpolate(_reciprocal(), np.clip(mantissa - (1 << 15) - (1 << 16), -TOP - 1, TOP))
    right = bits - 1
    return np.clip((terms * reciprocal + (np.int64(1) << right >> 1)) >> right, 0, TOP)
