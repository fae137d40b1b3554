"""NVDLA's CACC output stage: ``y = clamp(sat32(round(acc / 2^t)) + z)``, ties away from zero, ``t`` of 5 bits (0 to 31).

The stage that hands the 34-bit (int8) or 48-bit (int16) accumulator to the SDP; ``nvdla_sdp`` is what scales there. The
accumulator saturates after every addition: ``int34:saturate``. Source: ``vmod/nvdla/cacc/NV_NVDLA_CACC_CALC_int8.v``.
"""

from __future__ import annotations

import numpy as np

from hwsim.errors import HwsimError
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers import power_of_two
from hwsim.numerics.requantizers._constants import Constants, SumConstants
from hwsim.numerics.requantizers._constants import real_ratio as real_scale
from hwsim.numerics.rounding import Rounding, rounding_shift

__all__ = ["KEYS", "constants", "real_scale", "requantize_one", "rescale_sum_one", "sum_constants"]

KEYS: dict[str, object] = {}
LONGEST_SHIFT = 31
WIDE = 1 << 31


def constants(real_scale: np.ndarray, unit: Requantizer) -> Constants:
    """Return multiplier 1 and shifts of 0 to 31 for float64 ``[n]``.

    Raises:
        HwsimError: a scale that is no power of two from 2^-31 to 1.
    """
    made = power_of_two.constants(real_scale, unit)
    _check_shift(int(made.shift.min(initial=0)))
    _check_shift(int(made.shift.max(initial=0)))
    return made


def _check_shift(shift: int) -> None:
    if not 0 <= shift <= LONGEST_SHIFT:
        raise HwsimError(
            f"requantizer: nvdla_cacc truncates by 0 to {LONGEST_SHIFT} places, not {shift}; scale in the SDP (nvdla_sdp)"
        )


def requantize_one(
    value: int, multiplier: int, shift: int, unit: Requantizer, zero_point: int, low: int, high: int
) -> int:
    """Return ``clamp(sat32(round(value / 2^shift)) + zero_point, low, high)``.

    >>> [requantize_one(v, 1, 1, Requantizer(scheme="nvdla_cacc"), 0, -128, 127) for v in (-3, -1, 1, 999)]
    [-2, -1, 1, 127]
    """
    scaled = min(max(rounding_shift(int(value), int(shift), Rounding.HALF_AWAY), -WIDE), WIDE - 1)
    return min(max(scaled + zero_point, low), high)


def sum_constants(real_ratios: np.ndarray, unit: Requantizer) -> SumConstants:
    """Return the left shifts that align float64 ``[inputs]``, and one shift of 0 to 31; see ``power_of_two``."""
    made = power_of_two.sum_constants(real_ratios, unit)
    _check_shift(made.shift)
    return made


def rescale_sum_one(
    values: list[int], constants: SumConstants, unit: Requantizer, zero_point: int, low: int, high: int
) -> int:
    """Return ``requantize_one`` of the centred codes, aligned by left shifts and added exactly."""
    total = sum(int(value) * int(factor) for value, factor in zip(values, constants.multiplier, strict=True))
    return requantize_one(total, 1, constants.shift, unit, zero_point, low, high)
