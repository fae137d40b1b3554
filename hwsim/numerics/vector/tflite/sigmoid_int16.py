"""LOGISTIC and TANH of 16-bit codes: 256 samples of the logistic function of ``i / 24`` in Q0.16, linear in between.

A code becomes 3 * 4096 steps per unit first. A sample is raised by half of the error that interpolation makes in the middle of
its interval, the last one is 65535. ``tanh(x) = 2 logistic(2x) - 1`` reads the same table; negative codes are mirrored.
Source: ``tensorflow/lite/kernels/internal/reference/integer_ops/{logistic,tanh}.h`` and ``activations.cc``.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

STEPS_PER_UNIT = 24.0
ENTRIES = 256
SATURATED = 255


@cache
def _samples() -> np.ndarray:
    """Return int64 ``[257]``; the last entry is never weighted."""

    def logistic(place: float) -> float:
        return 65536.0 / (1.0 + math.exp(-place / STEPS_PER_UNIT))

    samples = []
    for index in range(ENTRIES - 1):
        here, middle, after = (logistic(index + part) for part in (0.0, 0.5, 1.0))
        samples.append(math.floor(here + (middle - (here + after) / 2) / 2 + 0.5))
    return np.array([*samples, 65535, 65535], np.int64)


def input_steps(scale: float) -> tuple[int, int]:
    """Return multiplier and right shift that turn a code into steps of 1 / (3 * 4096).

    Scales of 2^-12 and 2^-11 are exact; others get 15 bits, cut off.

    >>> input_steps(2.0**-12), input_steps(2.0**-11), input_steps(0.001)
    ((3, 0), (6, 0), (25165, 11))
    """
    single = float(np.float32(scale))
    power = math.log2(single)
    if abs(power - round(power)) < 1e-3 and round(power) in (-12, -11):
        return 3 << (round(power) + 12), 0
    multiplier, shift = single * 4096.0 * 3.0, 0
    while multiplier <= 32767.0 / 2.0 and shift <= 30:
        multiplier, shift = multiplier * 2.0, shift + 1
    return int(multiplier), shift


def _steps(codes: np.ndarray, scale: float) -> np.ndarray:
    multiplier, shift = input_steps(scale)
    return (codes.astype(np.int64) * multiplier + (1 << shift >> 1)) >> shift


def _interpolated(steps: np.ndarray, bits: int) -> np.ndarray:
    """Return the table at ``|steps|`` with ``bits`` bits between samples, in Q0.16 with as many bits more."""
    size = np.abs(steps)
    index = np.minimum(size >> bits, SATURATED)
    base, after = _samples()[index], _samples()[index + 1]
    return (base << bits) + (size & ((1 << bits) - 1)) * (after - base)


def logistic_int16(codes: np.ndarray, scale: float) -> np.ndarray:
    """Return the logistic function of codes without a zero point, int64 in Q0.15.

    >>> logistic_int16(np.array([-32768, 0, 32767]), 2.0**-12).tolist()
    [11, 16384, 32757]
    """
    steps = _steps(codes, scale)
    value = _interpolated(steps, 9)
    value = np.where(np.abs(steps) >> 9 >= SATURATED, 0x7FFF << 10, value)
    mirrored = np.where(steps >= 0, value + (1 << 9), (1 << 25) - value + (1 << 9) - 1)
    return np.asarray(mirrored >> 10)


def tanh_int16(codes: np.ndarray, scale: float) -> np.ndarray:
    """Return the hyperbolic tangent of codes without a zero point, int64 in Q0.15.

    >>> tanh_int16(np.array([-32768, 0, 32767]), 2.0**-12).tolist()
    [-32767, 0, 32767]
    """
    steps = _steps(codes, scale)
    value = _interpolated(steps, 8)
    value = np.where(np.abs(steps) >> 8 >= SATURATED, 0xFFFF << 8, value)
    mirrored = np.where(steps >= 0, value - (1 << 23) + (1 << 7), (1 << 23) - value + (1 << 7) - 1)
    return np.asarray(mirrored >> 8)
