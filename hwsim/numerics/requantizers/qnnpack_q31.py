"""QNNPACK's Q31: ``p = floor((acc * m + 2^30) / 2^31)``, then ``y = clamp(p / 2^R + z)`` with ties away from zero.

``m`` is the 24-bit significand of a float32 scale below 1, moved up by 7 places. QNNPACK takes the sign of the remainder's
correction from ``acc``, gemmlowp from ``p``; they differ only where ``p`` is 0, which both leave at 0, so the arithmetic
is that of ``tflite_double`` on other constants. Source: ``src/qnnpack/requantization.h: qnnp_q31_requantize,
qnnp_compute_add_quantization_params``.
"""

from __future__ import annotations

import numpy as np

from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers._constants import Constants, SumConstants
from hwsim.numerics.requantizers._constants import float32_ratio as real_scale
from hwsim.numerics.requantizers._double_rounding import wrap32
from hwsim.numerics.requantizers._float32_multiplier import in_range, one_shift, significands
from hwsim.numerics.rounding import Rounding, rounding_shift

__all__ = ["KEYS", "constants", "real_scale", "requantize_one", "rescale_sum_one", "sum_constants"]

KEYS: dict[str, object] = {}

RAISED = 7
FRACTION_BITS = 31


def constants(real_scale: np.ndarray, unit: Requantizer) -> Constants:
    """Return multipliers in ``[2^30, 2^31)`` and shifts of 31 and more for float64 ``[n]``.

    Raises:
        HwsimError: a scale outside of ``[2^-32, 1)``, which QNNPACK refuses.

    >>> made = constants(np.array([0.75, 0.375]), Requantizer(scheme="qnnpack_q31"))
    >>> made.multiplier.tolist(), made.shift.tolist()
    ([1610612736, 1610612736], [31, 32])
    """
    made = significands(real_scale, "qnnpack_q31", 0)
    return Constants(multiplier=made.multiplier << RAISED, shift=made.shift + RAISED)


def requantize_one(
    value: int, multiplier: int, shift: int, unit: Requantizer, zero_point: int, low: int, high: int
) -> int:
    """Return the code of ``value``, whose lower 32 bits are read, as ``qnnp_q31_requantize`` computes it.

    >>> [requantize_one(v, 1 << 30, 32, Requantizer(), 0, -128, 127) for v in (-6, -3, -2, 2, 3, 6)]
    [-2, -1, -1, 1, 1, 2]
    """
    entered, places = wrap32(int(value)), int(shift) - FRACTION_BITS
    product = wrap32(rounding_shift(entered * int(multiplier), FRACTION_BITS, Rounding.HALF_UP))
    mask = (1 << places) - 1
    remainder = (product & mask) - (entered < 0)
    scaled = (product >> places) + (remainder > mask >> 1)
    return min(max(scaled + zero_point, low), high)


def sum_constants(real_ratios: np.ndarray, unit: Requantizer) -> SumConstants:
    """Return multipliers of 22 bits, halves to even, on one shift for float64 ``[inputs]``.

    Raises:
        HwsimError: a ratio outside of ``[2^-14, 2^8)``; QNNPACK does not subtract.
    """
    return one_shift(in_range(real_ratios, "the Add of qnnpack_q31", -14, 8), 21)


def rescale_sum_one(
    values: list[int], constants: SumConstants, unit: Requantizer, zero_point: int, low: int, high: int
) -> int:
    """Return ``clamp(sum_i value_i * m_i / 2^shift + zero_point, low, high)`` of centred codes, ties away from zero."""
    total = sum(int(value) * int(factor) for value, factor in zip(values, constants.multiplier, strict=True))
    return min(max(rounding_shift(total, constants.shift, Rounding.HALF_AWAY) + zero_point, low), high)
