"""Resize (linear) of 8-bit codes: four float32 products summed in order, and the sum cut off towards zero.

So computes ONNX Runtime where both tensors of a Resize hold codes, on one grid; its cast to integers truncates. Between a
DequantizeLinear and a QuantizeLinear it stays float32.
Source: ``onnxruntime/core/providers/cpu/tensor/upsample.{h,cc}: SetupUpsampleBilinear, UpsampleBilinear``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

HALF = np.float32(0.5)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Taps:
    """The two elements of the operand that each result of one axis lies between.

    Args:
        low: index of the first, int64 ``[outputs]``.
        high: index of the second.
        low_weight: float32.
        high_weight: float32; both are one half where there is only one element.
    """

    low: np.ndarray
    high: np.ndarray
    low_weight: np.ndarray
    high_weight: np.ndarray


def has_mode(mode: str) -> bool:
    """Whether ``taps`` knows the coordinate transformation."""
    return mode in ("asymmetric", "align_corners", "half_pixel", "pytorch_half_pixel")


def taps(mode: str, size: int, outputs: int, scale: float) -> Taps:
    """Return the taps of one axis.

    Args:
        mode: ONNX ``coordinate_transformation_mode``, see ``has_mode``.
        size: elements of the operand.
        outputs: elements of the result.
        scale: outputs per element.

    >>> taps("half_pixel", 4, 2, 0.5).low_weight.tolist()
    [0.5, 0.5]
    """
    place = np.arange(outputs, dtype=np.float32)
    step = np.float32(scale)
    if mode == "align_corners":
        place = place * np.float32(size - 1) / np.float32(outputs - 1) if outputs > 1 else np.zeros_like(place)
    elif mode == "asymmetric":
        place = place / step
    elif mode == "pytorch_half_pixel" and outputs == 1:
        place = np.zeros_like(place)
    else:
        place = (place + HALF) / step - HALF
    place = np.clip(place, np.float32(0), np.float32(size - 1))
    low = place.astype(np.int64)
    high = np.minimum(low + 1, size - 1)
    high_weight, low_weight = np.abs(place - low.astype(np.float32)), np.abs(place - high.astype(np.float32))
    single = low == high
    return Taps(
        low=low,
        high=high,
        low_weight=np.where(single, HALF, low_weight),
        high_weight=np.where(single, HALF, high_weight),
    )


def resize_linear(codes: np.ndarray, rows: Taps, columns: Taps) -> np.ndarray:
    """Return codes ``[batch, channels, height, width]`` between the taps, int64.

    Args:
        codes: 8-bit codes ``[batch, channels, h, w]``.
        rows: taps along the height.
        columns: taps along the width.
    """
    wide = codes.astype(np.float32)
    above, below = wide[:, :, rows.low], wide[:, :, rows.high]
    top, bottom = rows.low_weight[:, None], rows.high_weight[:, None]
    left, right = columns.low_weight, columns.high_weight
    total = left * top * above[..., columns.low]
    total += right * top * above[..., columns.high]
    total += left * bottom * below[..., columns.low]
    total += right * bottom * below[..., columns.high]
    return np.asarray(total.astype(np.int64))
