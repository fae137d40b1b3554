"""CMSIS-NN in C: ``tflite_double`` without the saturation of ``-2^31 * -2^31``, which wraps to -2^31.

Ties as in ``tflite_double``: towards +infinity in the product, away from zero in the right shift. Source:
``arm_nnsupportfunctions.h: arm_nn_doubling_high_mult_no_sat, arm_nn_divide_by_power_of_two, arm_nn_requantize`` and
``arm_elementwise_add_s8``. Built with ``CMSIS_NN_USE_SINGLE_ROUNDING`` it is ``fixed_point:32:half_up`` instead.
"""

from __future__ import annotations

from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers._constants import SumConstants
from hwsim.numerics.requantizers._double_rounding import double_rounding, double_sum_one

LIKE = "tflite_double"


def resolved(ifmap_bits: int, bias_bits: int | None, layer: str) -> str:
    """Return the scheme of a layer: ``tflite_int16x8`` with 16-bit activations and a 64-bit bias, else this one.

    Source: ``arm_convolve_s16.c``, ``arm_fully_connected_s16.c``: ``bias_data->is_int32_bias``; no bias counts as 32 bits.
    """
    return "tflite_int16x8" if ifmap_bits == 16 and bias_bits == 64 else "cmsis_nn"


def requantize_one(
    value: int, multiplier: int, shift: int, unit: Requantizer, zero_point: int, low: int, high: int
) -> int:
    """Return ``clamp(divide(high_product(value << L, multiplier), R) + zero_point, low, high)``.

    >>> requantize_one(-(2**31), -(2**31), 31, Requantizer(), 0, -(2**31), 2**31 - 1)
    -2147483648
    """
    scaled = double_rounding(int(value), int(multiplier), int(shift), saturates=False)
    return min(max(scaled + zero_point, low), high)


def rescale_sum_one(
    values: list[int], constants: SumConstants, unit: Requantizer, zero_point: int, low: int, high: int
) -> int:
    """Return the Add of centred codes: each raised by 20 places and scaled, the sum scaled once more."""
    return double_sum_one(values, constants, zero_point, low, high, saturates=False)
