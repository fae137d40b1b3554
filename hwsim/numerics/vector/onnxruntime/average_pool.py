"""QLinearAveragePool: float32 sums of dequantized codes in the order of the window, and the zero point before rounding.

``y = clamp(rint(f32(f32(f32(sum / count) / sy) + zy)))``; with ``count_include_pad`` the count is the size of the kernel, also
where ``ceil_mode`` lets a window reach beyond the padding. Source: ``onnxruntime/contrib_ops/cpu/quantization/qlinear_pool.cc``.
"""

from __future__ import annotations

import numpy as np


def dequantized(codes: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """Return ``f32(scale * (code - zero_point))`` of 8-bit codes."""
    values: np.ndarray = (codes.astype(np.int32) - np.int32(zero_point)).astype(np.float32)
    values *= np.float32(scale)
    return values


def average_codes(sums: np.ndarray, counts: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """Return the codes before they are clamped, float32 of the shape of ``sums``.

    Args:
        sums: float32 sums of each window.
        counts: elements of each window, broadcast against ``sums``.
        scale: of the result.
        zero_point: of the result.

    >>> average_codes(np.float32([3]), np.int64([2]), 1.0, 1)
    array([2.], dtype=float32)
    """
    means = sums / counts.astype(np.float32)
    return np.asarray(np.rint(means / np.float32(scale) + np.float32(zero_point)))
