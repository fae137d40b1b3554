"""NVDLA's SDP output converter: ``y = sat_out(sat17(round((sat32(acc) - offset) * m / 2^t)))``, ties away from zero.

``m`` has 16 bits, ``t`` 6 bits (0 to 63), ``offset`` 32 bits. The converter adds nothing after the shift: an output zero
point ``z`` is the offset ``-round(z * 2^t / m)``, rounded with the rest. With ``z = 0``, outputs of at most 17 bits and
32-bit accumulators it is ``fixed_point:16:half_away``. Source: ``vmod/nvdla/sdp/NV_NVDLA_SDP_CORE_c.v``,
``cmod/sdp`` (``ac_fixed`` with ``AC_RND_INF, AC_SAT``). NVDLA rescales operands of an Add in separate
converters; here they get 16-bit multipliers on one shift, and the sum the converter's rounding and saturations.
"""

from __future__ import annotations

import numpy as np

from hwsim.errors import HwsimError
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers import fixed_point
from hwsim.numerics.requantizers._constants import Constants, SumConstants
from hwsim.numerics.requantizers._constants import real_ratio as real_scale
from hwsim.numerics.rounding import Rounding, rounding_shift

__all__ = ["KEYS", "constants", "real_scale", "requantize_one", "rescale_sum_one", "sum_constants"]

KEYS: dict[str, object] = {}

MULTIPLIER_BITS = 16
LONGEST_SHIFT = 63
WIDE, NARROW = 1 << 31, 1 << 16


def constants(real_scale: np.ndarray, unit: Requantizer) -> Constants:
    """Return 16-bit multipliers and shifts of 0 to 63 for float64 ``[n]``; a scale below 2^-49 loses precision.

    Raises:
        HwsimError: a scale of 2^15 and more.

    >>> made = constants(np.array([0.75, -3.0, 2.0**-50]), Requantizer(scheme="nvdla_sdp"))
    >>> made.multiplier.tolist(), made.shift.tolist()
    ([24576, -24576, 8192], [15, 13, 63])
    """
    made = fixed_point.normalized(real_scale, MULTIPLIER_BITS)
    _check_shift(int(made.shift.min(initial=0)))
    beyond = np.maximum(made.shift - LONGEST_SHIFT, 0)
    cut = [rounding_shift(int(m), int(b), Rounding.HALF_AWAY) for m, b in zip(made.multiplier, beyond, strict=True)]
    return Constants(multiplier=np.array(cut, np.int64), shift=made.shift - beyond)


def _check_shift(shift: int) -> None:
    if not 0 <= shift <= LONGEST_SHIFT:
        raise HwsimError(
            f"requantizer: nvdla_sdp has multipliers of 16 bits and shifts of 0 to 63, not {shift}; "
            "check the layer's scales, or use fixed_point"
        )


def check_zero_point(made: Constants, zero_point: int) -> None:
    """Raise HwsimError where a channel has no offset register for ``zero_point``."""
    for multiplier, shift in zip(made.multiplier, made.shift, strict=True):
        offset_of(zero_point, int(multiplier), int(shift))


def offset_of(zero_point: int, multiplier: int, shift: int) -> int:
    """Return the offset register that stands for ``zero_point``; raise HwsimError where 32 bits do not hold it.

    >>> offset_of(3, 16384, 16)
    -12
    """
    if zero_point == 0:
        return 0
    size = abs(multiplier)
    offset = ((abs(zero_point) << shift) * 2 + size) // (2 * size) if size else WIDE
    if offset >= WIDE:
        raise HwsimError(
            f"requantizer: nvdla_sdp has no offset of 32 bits for the output zero point {zero_point} at the scale "
            f"{multiplier} * 2^-{shift}; quantize the output symmetrically"
        )
    return -offset if (zero_point > 0) == (multiplier > 0) else offset


def convert(value: int, offset: int, multiplier: int, shift: int, low: int, high: int) -> int:
    """Return ``sat_out(sat17(round((sat32(value) - offset) * multiplier / 2^shift)))``, the registers as they are.

    >>> [convert(v, 0, 1, 1, -128, 127) for v in (-3, -1, 1, 3, 999)]
    [-2, -1, 1, 2, 127]
    """
    entered = min(max(value, -WIDE), WIDE - 1) - offset
    scaled = rounding_shift(entered * multiplier, shift, Rounding.HALF_AWAY)
    return min(max(min(max(scaled, -NARROW), NARROW - 1), low), high)


def requantize_one(
    value: int, multiplier: int, shift: int, unit: Requantizer, zero_point: int, low: int, high: int
) -> int:
    """Return ``convert`` of ``value`` with the offset that stands for ``zero_point``."""
    offset = offset_of(zero_point, int(multiplier), int(shift))
    return convert(int(value), offset, int(multiplier), int(shift), low, high)


def sum_constants(real_ratios: np.ndarray, unit: Requantizer) -> SumConstants:
    """Return multipliers on one common shift for float64 ``[inputs]``, as ``fixed_point`` does with 16 bits.

    Raises:
        HwsimError: ratios whose multipliers or shift do not fit.
    """
    made = fixed_point.common_shift(real_ratios, MULTIPLIER_BITS)
    _check_shift(made.shift)
    return made


def rescale_sum_one(
    values: list[int], constants: SumConstants, unit: Requantizer, zero_point: int, low: int, high: int
) -> int:
    """Return ``sat_out(sat17(round((sum_i value_i * m_i + zero_point * 2^shift) / 2^shift)))`` of centred codes."""
    total = sum(int(value) * int(factor) for value, factor in zip(values, constants.multiplier, strict=True))
    scaled = rounding_shift(total + (zero_point << constants.shift), constants.shift, Rounding.HALF_AWAY)
    return min(max(min(max(scaled, -NARROW), NARROW - 1), low), high)
