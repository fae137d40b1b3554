"""Tables of 513 samples for functions of a 16-bit code, read with linear interpolation (``gen_lut``, ``LUTLookup``).

A sample is moved by half of the error that interpolation makes in the middle of its interval. Samples and results are Q0.15.
Source: ``tensorflow/lite/kernels/internal/common.h``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwsim.numerics.vector.tflite.fixed_point import round_one

SAMPLES = 513
UNIT = 32768.0


def interpolation_table(function: Callable[[float], float], low: float, high: float) -> np.ndarray:
    """Return int64 ``[513]``: ``function`` on ``low .. high`` in Q0.15, for codes from -32768 to 32768.

    >>> interpolation_table(lambda x: x, 0.0, 1.0)[[0, 256, 512]].tolist()
    [0, 16384, 32767]
    """
    step = (high - low) / (SAMPLES - 1)
    entries = []
    for index in range(SAMPLES - 1):
        place = low + index * step
        sample = round_one(function(place) * UNIT)
        between = round_one((function(low + (index + 1) * step) * UNIT + sample) / 2.0)
        error = between - round_one(function(place + step / 2) * UNIT)
        entries.append(sample - round_one(error / 2.0))
    entries.append(round_one(function(high) * UNIT))
    return np.clip(np.array(entries, np.int64), -32768, 32767)


def interpolate(table: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return the table's value at 16-bit ``codes``, int64: 7 bits between two samples, halves up.

    >>> interpolate(np.arange(513) * 128, np.array([-32768, -32767, 32767])).tolist()
    [0, 1, 65535]
    """
    index, offset = (codes >> 7) + 256, codes & 127
    base = table[index]
    return np.asarray(base + (((table[index + 1] - base) * offset + 64) >> 7))
