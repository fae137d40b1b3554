"""HARD_SWISH of 8-bit codes: ``x * relu6(x + 3) / 6`` in 16-bit fixed point.

The centred code moves up by 7 bits. One product brings it to the result's scale, another to 3 = 32768 (saturating), which becomes
a factor in [0, 1]; the last product truncates, to undo the bias of the first two. Multipliers have 15 bits.
Source: ``tensorflow/lite/kernels/internal/reference/hard_swish.h`` and ``activations.cc: HardSwishPrepare``.
"""

from __future__ import annotations

import numpy as np

from hwsim.errors import HwsimError
from hwsim.numerics.vector.tflite.fixed_point import INT32_TOP, divide_by_power, multiplier_of

HIGH_BITS = 7
TOP = 1 << 15


def _wrap(values: np.ndarray) -> np.ndarray:
    return values.astype(np.int16).astype(np.int64)


def _saturate(values: np.ndarray) -> np.ndarray:
    return np.clip(values, -TOP, TOP - 1)


def _product(values: np.ndarray, multiplier: int) -> np.ndarray:
    """Return the rounded upper half of the doubled product of 16-bit integers, ties up."""
    return _saturate((values * multiplier + (1 << 14)) >> 15)


def _constants(real: np.float32) -> tuple[int, int]:
    """Return a 15-bit multiplier and the left shift of a float32 factor."""
    multiplier, shift = multiplier_of(float(real))
    reduced = TOP - 1 if multiplier >= INT32_TOP - 1 - TOP else (multiplier + TOP) >> 16
    return reduced, 31 - shift


def hard_swish(centred: np.ndarray, scale: float, output_scale: float) -> np.ndarray:
    """Return the centred results of ``code - zero point``, int64, before the result's zero point and clamp.

    Args:
        centred: integers of at most 9 bits.
        scale: of the operand.
        output_scale: of the result.

    Raises:
        HwsimError: a result scale below 1/128 of the operand's, which LiteRT refuses too.

    >>> hard_swish(np.array([-100, -24, 24, 100]), 0.0625, 0.0625).tolist()
    [0, -6, 18, 100]
    """
    fine = np.float32(1 / 128) * np.float32(scale)
    output_multiplier, output_shift = _constants(fine / np.float32(output_scale))
    if output_shift > 0:
        raise HwsimError(
            f"HARD_SWISH: a result scale of {output_scale:g} is below 1/128 of the operand's {scale:g}; "
            "requantize the result on a coarser grid"
        )
    multiplier, shift = _constants(fine / np.float32(np.float32(3) / np.float32(TOP)))
    raised = _wrap(np.asarray(centred, np.int64) << HIGH_BITS)
    output = _product(raised, output_multiplier)
    factor = _saturate(raised << (shift - 1)) if shift > 0 else raised
    factor = _product(factor, multiplier)
    factor = _saturate(factor << 1) if shift > 0 else divide_by_power(factor, -shift)
    factor = (factor + TOP) >> 1
    exact = factor * output
    truncated = np.sign(exact) * (np.abs(exact) >> 15)
    return divide_by_power(truncated, -output_shift)
