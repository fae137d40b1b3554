"""LOGISTIC, TANH, GELU and EXP of 8-bit codes: every code dequantized, computed in float32 and quantized once.

``y = clamp(round(f32(f(f32(sx * (x - zx))) * f32(1 / sy))) + zy)``, halves away from zero. ``f`` is computed in float64 and
rounded to float32, so that every machine gives the same table; LiteRT's C library agrees (30 000 entries of each without a
difference). Source: ``tensorflow/lite/kernels/internal/common.h: LUTPopulate``, ``activations.cc``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwsim.numerics.vector.tflite.fixed_point import round_half_away

RealFunction = Callable[[np.ndarray], np.ndarray]


def logistic(x: np.ndarray) -> np.ndarray:
    """Return ``1 / (1 + exp(-x))`` of float64 values."""
    small = np.exp(-np.abs(x))  # never overflows
    return np.where(x >= 0, 1.0, small) / (1.0 + small)


def table_entries(
    function: RealFunction,
    codes: np.ndarray,
    grids: tuple[tuple[float, int], tuple[float, int]],
) -> np.ndarray:
    """Return the results of ``codes`` before they are clamped, int64.

    Args:
        function: of float64 values.
        codes: integers.
        grids: scale and zero point of the operand, and of the result.

    >>> table_entries(logistic, np.array([-128, 0, 127]), ((0.0625, 0), (1 / 256, -128))).tolist()
    [-128, 0, 128]
    """
    (scale, zero_point), (output_scale, output_zero_point) = grids
    real = (codes.astype(np.int64) - zero_point).astype(np.float32) * np.float32(scale)
    with np.errstate(over="ignore", under="ignore"):
        values = function(real.astype(np.float64)).astype(np.float32)
        scaled = values * (np.float32(1) / np.float32(output_scale))
    limit = np.float32(2**30)  # far beyond every code
    rounded = round_half_away(np.clip(scaled, -limit, limit)) + np.float32(output_zero_point)
    return np.asarray(rounded.astype(np.int64))
