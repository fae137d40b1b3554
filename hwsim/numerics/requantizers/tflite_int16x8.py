"""TensorFlow Lite's and CMSIS-NN's 16-bit activations: ``y = clamp(floor((acc * m' + 2^(t-1)) / 2^t) + z)``, 64-bit ``acc``.

``m'`` is the 31-bit multiplier reduced to 16 bits, ``min((m + 2^15) >> 16, 0x7FFF)``, with ``scale = m' * 2^-t``. One
rounding, ties towards +infinity. The runtimes take this path where the bias has 64 bits, and ``tflite_double`` where it
has 32. Not ``fixed_point:16:half_up``: its multiplier is rounded once and carried, this one twice and cut at 0x7FFF.
Source: ``lite/kernels/internal/common.h: MultiplyByQuantizedMultiplier(int64_t, ...)``, ``arm_nn_requantize_s64``.
"""

from __future__ import annotations

import numpy as np

from hwsim.errors import HwsimError
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers._constants import Constants, SumConstants
from hwsim.numerics.requantizers._double_rounding import double_sum_constants, quantize_multiplier
from hwsim.numerics.rounding import Rounding, rounding_shift

LIKE = "tflite_double"
LEFT_SHIFT = 15
REDUCED_BITS = 16
SMALLEST_SHIFT = 8


def constants(real_scale: np.ndarray, unit: Requantizer) -> Constants:
    """Return the reduced multipliers and their shifts for float64 ``[n]``.

    Raises:
        HwsimError: a scale that is negative, or 128 and more: the runtimes assert against both.

    >>> made = constants(np.array([0.75, 1 - 2**-20]), Requantizer(scheme="tflite_int16x8"))
    >>> made.multiplier.tolist(), made.shift.tolist()
    ([24576, 32767], [15, 15])
    """
    made = quantize_multiplier(real_scale)
    shift = made.shift - REDUCED_BITS
    wrong = (made.multiplier < 0) | (shift < SMALLEST_SHIFT)
    if wrong.any():
        channel = int(np.argmax(wrong))
        raise HwsimError(
            f"requantizer: tflite_int16x8 takes scales above 0 and below 128, but channel {channel} has "
            f"{float(np.atleast_1d(real_scale)[channel]):.6g}; check the layer's scales, or use fixed_point"
        )
    reduced = np.minimum((made.multiplier + (1 << REDUCED_BITS - 1)) >> REDUCED_BITS, 0x7FFF)
    return Constants(multiplier=reduced, shift=shift)


def requantize_one(
    value: int, multiplier: int, shift: int, unit: Requantizer, zero_point: int, low: int, high: int
) -> int:
    """Return ``clamp(floor((value * multiplier + 2^(shift-1)) / 2^shift) + zero_point, low, high)``.

    >>> [requantize_one(v, 1 << 14, 15, Requantizer(), 0, -32768, 32767) for v in (-3, -1, 1, 3)]
    [-1, 0, 1, 2]
    """
    scaled = rounding_shift(int(value) * int(multiplier), int(shift), Rounding.HALF_UP)
    return min(max(scaled + zero_point, low), high)


def sum_constants(real_ratios: np.ndarray, unit: Requantizer) -> SumConstants:
    """Return the constants of the 16-bit Add for float64 ``[inputs]``: every code raised by 15 places, scaled, and rounded twice."""
    return double_sum_constants(real_ratios, LEFT_SHIFT)
