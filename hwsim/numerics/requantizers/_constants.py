"""What the schemes share: their constants, and the checks on real scales."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from hwsim.errors import HwsimError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Constants:
    """What the unit holds for each output channel.

    Args:
        multiplier: ``[n]``, int64 (integer schemes), float32, or float64 (``thresholds``).
        shift: int64 ``[n]``; the product is divided by ``2^shift`` (a negative shift multiplies). Zero for ``float32``.
    """

    multiplier: np.ndarray
    shift: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SumConstants:
    """What the unit holds to add several tensors on different grids.

    Args:
        multiplier: ``[inputs]``, int64 (integer schemes), float32, or float64 (``thresholds``).
        shift: one shift for the whole sum; 0 for ``float32``.
    """

    multiplier: np.ndarray
    shift: int


def finite(real: np.ndarray) -> np.ndarray:
    """Return ``real`` as float64 ``[n]``; raise HwsimError where a scale is zero, infinite or not a number."""
    values = np.atleast_1d(np.asarray(real, dtype=np.float64))
    wrong = ~np.isfinite(values) | (values == 0)
    if wrong.any():
        channel = int(np.argmax(wrong))
        raise HwsimError(
            f"requantizer: a real scale must be finite and not zero, not {values[channel]} (channel {channel}); "
            "check the scales of the layer's input, weight and output"
        )
    return values


def real_ratio(input_scale: float, weight_scale: np.ndarray, output_scale: float) -> np.ndarray:
    """Return ``input_scale * weight_scale / output_scale`` in float64 ``[n]`` (TensorFlow Lite's convolutions)."""
    return np.float64(input_scale) * np.atleast_1d(np.asarray(weight_scale, np.float64)) / np.float64(output_scale)


def float32_ratio(input_scale: float, weight_scale: np.ndarray, output_scale: float) -> np.ndarray:
    """Return ``f32(f32(input * weight) / output)`` as float64 ``[n]`` (ONNX Runtime, TensorFlow Lite's Mul)."""
    product = np.float32(input_scale) * np.atleast_1d(np.asarray(weight_scale, dtype=np.float32))
    return (product / np.float32(output_scale)).astype(np.float64)


def float32_product_ratio(input_scale: float, weight_scale: np.ndarray, output_scale: float) -> np.ndarray:
    """Return ``f32(input * weight) / output`` in float64 ``[n]``; per channel the product is one of float64.

    TensorFlow Lite's fully connected layers: ``kernel_util.cc: GetQuantizedConvolutionMultipler`` multiplies two floats,
    ``PopulateConvolutionQuantizationParams`` two doubles.
    """
    weights = np.atleast_1d(np.asarray(weight_scale))
    if weights.size > 1:
        return real_ratio(input_scale, weights, output_scale)
    product = np.float32(input_scale) * weights.astype(np.float32)
    return product.astype(np.float64) / np.float64(np.float32(output_scale))


TFLITE_LAYER_SCALES = MappingProxyType(
    {"matmul": float32_product_ratio, "fully_connected": float32_product_ratio, "product": float32_ratio}
)
