"""TensorFlow Lite's and gemmlowp's default: ``y = clamp(RDBPOT(SRDHM(acc << L, m), R) + z)``, rounded twice.

``SRDHM`` is the upper half of the doubled product, ties towards +infinity, saturated where both factors are -2^31;
``RDBPOT`` divides by ``2^R``, ties away from zero. ``L = max(31 - s, 0)``, ``R = max(s - 31, 0)`` with ``scale = m * 2^-s``.
The unit reads 32 bits. Source: ``lite/kernels/internal/common.cc: MultiplyByQuantizedMultiplier``,
``quantization_util.cc: QuantizeMultiplier``, ``add.cc``. Ethos-U's rounding ``TFL`` is this scheme.
"""

from __future__ import annotations

import numpy as np

from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers._constants import TFLITE_LAYER_SCALES, Constants, SumConstants
from hwsim.numerics.requantizers._constants import real_ratio as real_scale
from hwsim.numerics.requantizers._double_rounding import (
    double_rounding,
    double_sum_constants,
    double_sum_one,
    quantize_multiplier,
)

__all__ = [
    "KEYS", "LAYER_SCALES", "constants", "real_scale", "requantize_one", "rescale_sum_one", "sum_constants",
]  # fmt: skip

KEYS: dict[str, object] = {}
LAYER_SCALES = TFLITE_LAYER_SCALES

LEFT_SHIFT = 20


def constants(real_scale: np.ndarray, unit: Requantizer) -> Constants:
    """Return the 31-bit multipliers and shifts of float64 ``[n]``; see ``quantize_multiplier`` for its edge cases."""
    return quantize_multiplier(real_scale)


def requantize_one(
    value: int, multiplier: int, shift: int, unit: Requantizer, zero_point: int, low: int, high: int
) -> int:
    """Return ``clamp(RDBPOT(SRDHM(value << L, multiplier), R) + zero_point, low, high)``.

    Minus one half goes up to 0 in the product, and away from zero to -1 in the right shift:

    >>> [requantize_one(v, 1 << 30, s, Requantizer(), 0, -128, 127) for v, s in ((-1, 31), (-2, 32))]
    [0, -1]
    """
    scaled = double_rounding(int(value), int(multiplier), int(shift), saturates=True)
    return min(max(scaled + zero_point, low), high)


def sum_constants(real_ratios: np.ndarray, unit: Requantizer) -> SumConstants:
    """Return the constants of the 8-bit Add for float64 ``[inputs]`` (scale of the input over scale of the output)."""
    return double_sum_constants(real_ratios, LEFT_SHIFT)


def rescale_sum_one(
    values: list[int], constants: SumConstants, unit: Requantizer, zero_point: int, low: int, high: int
) -> int:
    """Return the Add of centred codes: each raised by 20 places and scaled, the sum scaled once more."""
    return double_sum_one(values, constants, zero_point, low, high, saturates=True)
