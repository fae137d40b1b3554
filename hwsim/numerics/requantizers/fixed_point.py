"""Integer multiplier and one rounding shift: ``y = clamp(rounding_shift(acc * m, s) + z)``, with ``scale = m * 2^-s``.

With 32 bits and ``half_up`` it is the single rounding of TensorFlow Lite (``TFLITE_SINGLE_ROUNDING``), ruy
(``apply_multiplier.cc``) and CMSIS-NN (``CMSIS_NN_USE_SINGLE_ROUNDING``), and Ethos-U's ``NATURAL``; with ``to_zero``
Ethos-U's ``TRUNCATE`` (its ``TFL`` is ``tflite_double``). With 25 bits and ``half_up`` it is the arithmetic of
``xnnpack_rndnu``, with 16 and ``half_away`` that of ``nvdla_sdp`` without an output zero point. The multiplier is
normalized as in gemmlowp: of ``bits`` bits, the sign included, its magnitude lies in ``[2^(bits-2), 2^(bits-1))``.
"""

from __future__ import annotations

import numpy as np

from hwsim.errors import HwsimError
from hwsim.numerics.code_overflow import CodeOverflow, reduce_code
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers._constants import Constants, SumConstants, finite
from hwsim.numerics.requantizers._constants import real_ratio as real_scale
from hwsim.numerics.rounding import Rounding, rounding_shift

__all__ = ["KEYS", "constants", "real_scale", "requantize_one", "rescale_sum_one", "sum_constants"]

KEYS = {"multiplier_bits": 32, "rounding": Rounding.HALF_UP, "overflow": CodeOverflow.SATURATE}


def constants(real_scale: np.ndarray, unit: Requantizer) -> Constants:
    """Return the normalized multipliers and shifts of float64 ``[n]``; see ``normalized``."""
    return normalized(real_scale, unit.multiplier_width)


def normalized(real_scale: np.ndarray, bits: int) -> Constants:
    """Return multipliers of ``bits`` bits and the shifts of ``real_scale``.

    ``real = f * 2^e`` with ``|f|`` in [0.5, 1); ``m = round(f * 2^(bits-1))``, halves away from zero (``TfLiteRound``);
    ``s = bits - 1 - e``. A magnitude that rounds up to ``2^(bits-1)`` is halved and the shift lowered by one.

    Args:
        real_scale: float64 ``[n]``, of either sign.
        bits: width of the multiplier, the sign included.

    Raises:
        HwsimError: a scale that is zero or not finite.

    >>> made = normalized(np.array([0.5, -0.3]), 8)
    >>> made.multiplier, made.shift
    (array([ 64, -77]), array([7, 8]))
    """
    fraction, exponent = np.frexp(finite(real_scale))
    top = 1 << (bits - 1)
    magnitude = np.floor(np.abs(fraction) * top + 0.5).astype(np.int64)
    carried = magnitude == top
    shift = bits - 1 - exponent.astype(np.int64) - carried
    magnitude = np.where(carried, top >> 1, magnitude)
    return Constants(multiplier=np.where(fraction < 0, -magnitude, magnitude), shift=shift)


def requantize_one(
    value: int, multiplier: int, shift: int, unit: Requantizer, zero_point: int, low: int, high: int
) -> int:
    """Return ``clamp(rounding_shift(value * multiplier, shift) + zero_point, low, high)``.

    >>> requantize_one(100, 77, 8, Requantizer(), 3, -128, 127)
    33
    """
    product = int(value) * int(multiplier)
    result, truncated = (rounding_shift(product, int(shift), mode) for mode in (unit.shift_rounding, Rounding.FLOOR))
    overflow, saturated = unit.overflow or CodeOverflow.SATURATE, unit.saturated_bits or 0
    return reduce_code(result + zero_point, low, high, overflow, saturated, truncated + zero_point)


def sum_constants(real_ratios: np.ndarray, unit: Requantizer) -> SumConstants:
    """Return multipliers on one common shift for float64 ``[inputs]``; see ``common_shift``."""
    return common_shift(real_ratios, unit.multiplier_width)


def common_shift(real_ratios: np.ndarray, bits: int) -> SumConstants:
    """Return ``m_i = round(r_i * 2^t)`` on one shift ``t``, the largest of them normalized to ``bits`` bits.

    Args:
        real_ratios: float64 ``[inputs]``: scale of the input over scale of the output.
        bits: width of the multipliers, the sign included.

    Raises:
        HwsimError: a ratio that is zero or not finite, or so small beside the largest that its multiplier is 0.
    """
    ratios = finite(real_ratios)
    shift = int(normalized(ratios[[np.argmax(np.abs(ratios))]], bits).shift[0])
    scaled = np.ldexp(ratios, shift)
    magnitude = np.floor(np.abs(scaled) + 0.5).astype(np.int64)
    if (magnitude == 0).any():
        raise HwsimError(
            f"requantizer: the ratios {ratios.tolist()} of a sum do not fit multipliers of {bits} bits on "
            "one shift (one becomes 0); widen multiplier_bits or quantize the inputs on closer scales"
        )
    return SumConstants(multiplier=np.where(scaled < 0, -magnitude, magnitude), shift=shift)


def rescale_sum_one(
    values: list[int], constants: SumConstants, unit: Requantizer, zero_point: int, low: int, high: int
) -> int:
    """Return ``clamp(rounding_shift(sum_i value_i * m_i, shift) + zero_point, low, high)`` of centred codes."""
    total = sum(int(value) * int(factor) for value, factor in zip(values, constants.multiplier, strict=True))
    return requantize_one(total, 1, constants.shift, unit, zero_point, low, high)
