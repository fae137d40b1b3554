"""SOFTMAX of 8-bit codes in integers: exponentials in Q0.31, their sum in Q12.19, one reciprocal for each row (also CMSIS-NN).

Differences to the maximum are rescaled to Q5.26; those below the range of it count as 0. Results have 8 or 16 bits below 1.
Source: ``tensorflow/lite/kernels/internal/reference/softmax.h`` and ``arm_nn_softmax_common_s8``. LiteRT's optimized kernels take
256 float32 exponentials instead, which changes about one code in 60 000.
"""

from __future__ import annotations

import math

import numpy as np

from hwsim.numerics.vector.tflite.fixed_point import INT32_TOP, divide_by_power, high_product, multiplier_of
from hwsim.numerics.vector.tflite.gemmlowp import (
    EXPONENT_BITS,
    FRACTION_BITS,
    exp_of_negative,
    reciprocal_of_one_plus,
)

SUM_BITS = 12


def input_constants(scale: float) -> tuple[int, int, int]:
    """Return multiplier, left shift and smallest difference for an operand's scale (``PreprocessSoftmaxScaling``).

    >>> input_constants(0.0625)
    (1073741824, 23, -248)
    """
    real = min(float(np.float32(scale)) * (1 << FRACTION_BITS), INT32_TOP - 1.0)
    multiplier, right = multiplier_of(real)
    left = 31 - right
    reach = math.floor(((1 << EXPONENT_BITS) - 1) * 2.0 ** (FRACTION_BITS - left))
    return multiplier, left, -reach


def softmax_codes(codes: np.ndarray, constants: tuple[int, int, int], output_bits: int) -> np.ndarray:
    """Return the codes of every row, int64 ``[rows, n]``, counted from 0 and before they are clamped.

    Args:
        codes: 8-bit codes ``[rows, n]``; their zero point cancels.
        constants: see ``input_constants``.
        output_bits: bits below 1: 8, or 16 for a 16-bit result.

    >>> softmax_codes(np.array([[0, 0, 0, 0], [127, 0, 0, -128]]), input_constants(1.0), 8).tolist()
    [[64, 64, 64, 64], [256, 0, 0, 0]]
    """
    multiplier, left, smallest = constants
    wide = codes.astype(np.int64)
    below = wide - wide.max(axis=1, keepdims=True)
    counts = below >= smallest
    places = high_product(np.where(counts, below, 0) << left, multiplier)
    terms = exp_of_negative(places)
    sums = np.where(counts, divide_by_power(terms, SUM_BITS), 0).sum(axis=1, keepdims=True)
    bits = np.frexp(sums.astype(np.float64))[1].astype(np.int64)  # exact: sums have fewer than 53 bits
    headroom = 32 - bits
    reciprocal = reciprocal_of_one_plus((sums << headroom) - INT32_TOP)
    right = SUM_BITS - headroom + 31 - output_bits
    return np.where(counts, divide_by_power(high_product(terms, reciprocal), right), 0)
