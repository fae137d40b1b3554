"""FINN's thresholds: ``y = low + #{i: acc >= T_i}``, comparisons instead of a multiplier.

``T_i = ceil((i - 1/2 - z) / scale)`` for ``i = low + 1 .. high`` is where ``acc * scale + z`` reaches the middle below code
``i``, so the unit rounds the exact product half up and needs no rounding of its own: ``y = clamp(floor(acc * scale + z +
1/2))``. Scales are the float64 numbers that they are, without loss. Source: Umuroglu et al., FINN, FPGA 2017, section
4.2; ``finn-rtllib/thresholding``. Thresholds that a model states are ``hwsim.numerics.multithreshold``.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np

from hwsim.errors import HwsimError
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers._constants import Constants, SumConstants, finite
from hwsim.numerics.requantizers._constants import real_ratio as real_scale

__all__ = ["KEYS", "constants", "real_scale", "requantize_one", "rescale_sum_one", "sum_constants"]

KEYS: dict[str, object] = {}
HALF = Fraction(1, 2)


def constants(real_scale: np.ndarray, unit: Requantizer) -> Constants:
    """Return the scales of float64 ``[n]`` themselves, and zero shifts; ``thresholds_of`` makes the table.

    Raises:
        HwsimError: a scale that is negative: more accumulator would pass fewer thresholds.
    """
    scales = finite(real_scale)
    if (scales < 0).any():
        channel = int(np.argmax(scales < 0))
        raise HwsimError(
            f"requantizer: thresholds rise with the accumulator, but channel {channel} has the scale {scales[channel]}; "
            "negate its weights, or use fixed_point"
        )
    return Constants(multiplier=scales, shift=np.zeros(scales.shape, np.int64))


def thresholds_of(scale: float, zero_point: int, low: int, high: int) -> list[int]:
    """Return ``T_i`` for ``i = low + 1 .. high``, ascending, of any size.

    >>> thresholds_of(0.25, 0, 0, 3)
    [2, 6, 10]
    """
    numerator, denominator = float(scale).as_integer_ratio()
    return [-((2 * zero_point + 1 - 2 * i) * denominator // (2 * numerator)) for i in range(low + 1, high + 1)]


def requantize_one(
    value: int, multiplier: float, shift: int, unit: Requantizer, zero_point: int, low: int, high: int
) -> int:
    """Return ``clamp(floor(value * multiplier + zero_point + 1/2), low, high)``, the product exact.

    >>> unit = Requantizer(scheme="thresholds")
    >>> [requantize_one(v, 0.25, 0, unit, 0, 0, 3) for v in (-9, 1, 2, 5, 6, 99)]
    [0, 0, 1, 1, 2, 3]
    """
    exact = int(value) * Fraction(float(multiplier)) + zero_point
    return min(max(floor(exact + HALF), low), high)


def sum_constants(real_ratios: np.ndarray, unit: Requantizer) -> SumConstants:
    """Return the ratios of float64 ``[inputs]`` themselves, of either sign."""
    return SumConstants(multiplier=finite(real_ratios), shift=0)


def rescale_sum_one(
    values: list[int], constants: SumConstants, unit: Requantizer, zero_point: int, low: int, high: int
) -> int:
    """Return ``clamp(floor(sum_i value_i * ratio_i + zero_point + 1/2), low, high)``, the sum exact."""
    pairs = zip(values, constants.multiplier.tolist(), strict=True)
    exact = sum((int(value) * Fraction(float(ratio)) for value, ratio in pairs), Fraction(zero_point))
    return min(max(floor(exact + HALF), low), high)
