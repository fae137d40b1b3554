"""The real factors of LiteRT's elementwise operators, rounded as its ``Prepare`` functions round them.

ADD and SUB put both operands on twice the larger scale; MUL, PRELU, LEAKY_RELU and RELU form their factor in float32 (C++
multiplies ``float`` members), QUANTIZE and MEAN in float64.
Source: ``tensorflow/lite/kernels/{add,sub,mul,activations,quantize,reduce}.cc``.
"""

from __future__ import annotations

import numpy as np

from hwsim.numerics.requantizers._double_rounding import DoubleSumConstants, quantize_multiplier
from hwsim.numerics.vector.tflite.fixed_point import multiplier_of

LEFT_SHIFT = {8: 20, 16: 15}


def sum_constants(scales: tuple[float, float, float], bits: int, *, subtract: bool = False) -> DoubleSumConstants:
    """Return the constants of ADD or SUB.

    Args:
        scales: of both operands and of the result.
        bits: of the codes, 8 or 16.
        subtract: negate the second operand's multiplier.

    >>> made = sum_constants((0.5, 0.25, 1.0), 8)
    >>> made.shifts.tolist(), made.left_shift
    ([31, 32], 20)
    """
    first, second, output = (float(np.float32(scale)) for scale in scales)
    twice_largest = 2 * max(first, second)
    inputs = quantize_multiplier(np.array([first, second]) / twice_largest)
    multiplier, shift = multiplier_of(twice_largest / ((1 << LEFT_SHIFT[bits]) * output))
    return DoubleSumConstants(
        multiplier=inputs.multiplier * np.array([1, -1 if subtract else 1]),
        shifts=inputs.shift,
        total_multiplier=multiplier,
        shift=shift,
        left_shift=LEFT_SHIFT[bits],
    )


def float32_factor(input_scale: float, other: float, output_scale: float) -> float:
    """Return ``f32(f32(input_scale * other) / output_scale)``: MUL, PRELU, LEAKY_RELU, and RELU with 1 for ``other``.

    >>> float32_factor(0.5, 1.0, 0.25)
    2.0
    """
    return float(np.float32(input_scale) * np.float32(other) / np.float32(output_scale))


def float64_factor(input_scale: float, output_scale: float) -> float:
    """Return the ratio of two float32 scales in float64: QUANTIZE."""
    return float(np.float32(input_scale)) / float(np.float32(output_scale))


def mean_constants(input_scale: float, output_scale: float, count: int) -> tuple[int, int]:
    """Return multiplier and right shift of MEAN: the factor of QUANTIZE, its integer multiplier divided by ``count``.

    The quotient keeps its bits by moving up first, at most 32 places and no further than a right shift of 31 allows; what
    then remains is cut off (``reference_ops::QuantizedMeanOrSum``).

    Args:
        input_scale: of the operand.
        output_scale: of the result.
        count: elements that are averaged.

    >>> mean_constants(0.5, 0.5, 3)
    (715827882, 31)
    """
    multiplier, shift = multiplier_of(float64_factor(input_scale, output_scale))
    places = min(count.bit_length() - 1, 32, 31 - (shift - 31))
    return (multiplier << places) // count, shift + places
