"""What TensorFlow Lite's schemes share: 31-bit multipliers, the product that rounds twice, and the Add on 32 bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.errors import HwsimError
from hwsim.numerics.requantizers._constants import Constants, SumConstants, finite
from hwsim.numerics.rounding import Rounding, rounding_shift

FRACTION_BITS = 31
SMALLEST_EXPONENT = -31


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DoubleSumConstants(SumConstants):
    """What TensorFlow Lite's Add holds: ``multiplier`` and ``shifts`` for the inputs, and one of each for their sum.

    Args:
        multiplier: int64 ``[inputs]``, of ``r_i / (2 max r)``.
        shifts: int64 ``[inputs]``; the product of an input is divided by ``2^shifts``.
        total_multiplier: of ``2 max r / 2^left_shift``.
        shift: the product of the sum is divided by ``2^shift``.
        left_shift: places by which every centred code moves up first.
    """

    shifts: np.ndarray
    total_multiplier: int
    left_shift: int


def wrap32(value: int) -> int:
    """Return the lower 32 bits of ``value`` as a signed number.

    >>> wrap32(1 << 31), wrap32(-5)
    (-2147483648, -5)
    """
    return ((value + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


def quantize_multiplier(real_scale: np.ndarray) -> Constants:
    """Return the multipliers and shifts of ``QuantizeMultiplier`` (``quantization_util.cc``) for float64 ``[n]``.

    ``real = f * 2^e``, ``m = round(f * 2^31)`` with halves away from zero, ``shift = 31 - e``. A positive ``m`` of 2^31 is
    halved, a negative one stays (it fits 32 bits); ``e < -31`` gives 0, because every bit would be shifted out.

    >>> made = quantize_multiplier(np.array([0.75, 1 - 2**-40, -1 + 2**-40, 2.0**-33]))
    >>> made.multiplier.tolist(), made.shift.tolist()
    ([1610612736, 1073741824, -2147483648, 0], [31, 30, 31, 31])
    """
    fraction, exponent = np.frexp(finite(real_scale))
    top = 1 << FRACTION_BITS
    multiplier = np.trunc(fraction * top + np.copysign(0.5, fraction)).astype(np.int64)
    carried = multiplier == top
    exponent = exponent.astype(np.int64) + carried
    vanished = exponent < SMALLEST_EXPONENT
    multiplier = np.where(vanished, 0, np.where(carried, top >> 1, multiplier))
    return Constants(multiplier=multiplier, shift=FRACTION_BITS - np.where(vanished, 0, exponent))


def double_rounding(value: int, multiplier: int, shift: int, *, saturates: bool) -> int:
    """Return ``value * multiplier / 2^shift`` rounded twice (``MultiplyByQuantizedMultiplier``).

    The value moves left by ``max(31 - shift, 0)`` in 32 bits (which wrap); the product keeps its upper half, ties towards
    +infinity; a remaining right shift rounds ties away from zero.

    Args:
        value: the accumulator; its lower 32 bits are read.
        multiplier: a signed 32-bit integer.
        shift: the product is divided by ``2^shift``.
        saturates: whether ``-2^31 * -2^31`` gives ``2^31 - 1`` (gemmlowp) or wraps (CMSIS-NN).
    """
    entered = wrap32(value << max(FRACTION_BITS - shift, 0))
    high = rounding_shift(entered * multiplier, FRACTION_BITS, Rounding.HALF_UP)
    if high == 1 << 31:
        high = high - 1 if saturates else wrap32(high)
    return rounding_shift(high, max(shift - FRACTION_BITS, 0), Rounding.HALF_AWAY)


def double_sum_constants(real_ratios: np.ndarray, left_shift: int) -> DoubleSumConstants:
    """Return the constants of TensorFlow Lite's Add (``add.cc: Prepare``); a negative ratio negates its multiplier.

    Args:
        real_ratios: float64 ``[inputs]``: scale of the input over scale of the output.
        left_shift: 20 for 8-bit tensors, 15 for 16-bit ones.
    """
    ratios = finite(real_ratios)
    twice_largest = 2 * float(np.abs(ratios).max())
    inputs = quantize_multiplier(np.abs(ratios) / twice_largest)
    total = quantize_multiplier(np.array([twice_largest / (1 << left_shift)]))
    return DoubleSumConstants(
        multiplier=np.where(ratios < 0, -inputs.multiplier, inputs.multiplier),
        shifts=inputs.shift,
        total_multiplier=int(total.multiplier[0]),
        shift=int(total.shift[0]),
        left_shift=left_shift,
    )


def double_sum_one(
    values: list[int], constants: SumConstants, zero_point: int, low: int, high: int, *, saturates: bool
) -> int:
    """Return ``clamp(D(sum_i D(value_i << left_shift)) + zero_point, low, high)``, where ``D`` rounds twice.

    Raises:
        HwsimError: a centred code that leaves 32 bits when it moves up.
    """
    assert isinstance(constants, DoubleSumConstants)
    total = 0
    for value, multiplier, shift in zip(values, constants.multiplier, constants.shifts, strict=True):
        raised = int(value) << constants.left_shift
        if raised != wrap32(raised):
            raise overflow(int(value), constants.left_shift)
        total += double_rounding(raised, int(multiplier), int(shift), saturates=saturates)
    scaled = double_rounding(total, constants.total_multiplier, constants.shift, saturates=saturates)
    return min(max(scaled + zero_point, low), high)


def overflow(value: int, left_shift: int) -> HwsimError:
    """Return the error for a centred code that the Add cannot raise by ``left_shift`` places."""
    return HwsimError(
        f"requantizer: an Add that raises codes by {left_shift} places in 32 bits takes centred codes of "
        f"{32 - left_shift} bits, not {value}; use tflite_int16x8 for 16-bit tensors, fixed_point for wider ones"
    )
