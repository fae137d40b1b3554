"""XNNPACK's ``rndnu``: ``y = clamp(floor((acc * M + 2^(s-1)) / 2^s) + z)``, ``M`` the 24-bit significand of a float32 scale.

One rounding, ties towards +infinity. On scales that are float32 it is ``fixed_point:25:half_up``; the scale itself is
computed in float32, ``f32(f32(input * weight) / output)``. Source: ``src/microparams-init.c:
xnn_init_qs8_conv_minmax_rndnu_*_params`` (NEON's pre-shift, doubling product and post-shift give the same numbers) and
``xnn_init_qs8_add_minmax_*_params``.
"""

from __future__ import annotations

import numpy as np

from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers._constants import Constants, SumConstants
from hwsim.numerics.requantizers._constants import float32_ratio as real_scale
from hwsim.numerics.requantizers._float32_multiplier import in_range, one_shift, significands
from hwsim.numerics.rounding import Rounding, rounding_shift

__all__ = ["KEYS", "constants", "real_scale", "requantize_one", "rescale_sum_one", "sum_constants"]

KEYS: dict[str, object] = {}


def constants(real_scale: np.ndarray, unit: Requantizer) -> Constants:
    """Return significands and shifts of float64 ``[n]``.

    Raises:
        HwsimError: a scale outside of ``[2^-32, 256)``, which XNNPACK refuses.

    >>> made = constants(np.array([0.75, 1.5]), Requantizer(scheme="xnnpack_rndnu"))
    >>> made.multiplier.tolist(), made.shift.tolist()
    ([12582912, 12582912], [24, 23])
    """
    return significands(real_scale, "xnnpack_rndnu", 8)


def requantize_one(
    value: int, multiplier: int, shift: int, unit: Requantizer, zero_point: int, low: int, high: int
) -> int:
    """Return ``clamp(floor((value * multiplier + 2^(shift-1)) / 2^shift) + zero_point, low, high)``.

    >>> [requantize_one(v, 1 << 23, 24, Requantizer(), 0, -128, 127) for v in (-3, -1, 1, 3)]
    [-1, 0, 1, 2]
    """
    scaled = rounding_shift(int(value) * int(multiplier), int(shift), Rounding.HALF_UP)
    return min(max(scaled + zero_point, low), high)


def sum_constants(real_ratios: np.ndarray, unit: Requantizer) -> SumConstants:
    """Return multipliers of 21 bits, halves to even, on one shift for float64 ``[inputs]``; they may be negative.

    Raises:
        HwsimError: a ratio whose magnitude is outside of ``[2^-10, 2^8)``.
    """
    return one_shift(in_range(real_ratios, "the Add of xnnpack_rndnu", -10, 8, signed=True), 20)


def rescale_sum_one(
    values: list[int], constants: SumConstants, unit: Requantizer, zero_point: int, low: int, high: int
) -> int:
    """Return ``clamp(floor((sum_i value_i * m_i + 2^(shift-1)) / 2^shift) + zero_point, low, high)`` of centred codes."""
    total = sum(int(value) * int(factor) for value, factor in zip(values, constants.multiplier, strict=True))
    return requantize_one(total, 1, constants.shift, unit, zero_point, low, high)
