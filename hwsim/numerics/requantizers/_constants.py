"""What the schemes share: their constants, and the checks on real scales."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.errors import HwsimError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Constants:
    """What the unit holds for each output channel.

    Args:
        multiplier: ``[n]``, int64 (integer schemes) or float32.
        shift: int64 ``[n]``; the product is divided by ``2^shift`` (a negative shift multiplies). Zero for ``float32``.
    """

    multiplier: np.ndarray
    shift: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SumConstants:
    """What the unit holds to add several tensors on different grids.

    Args:
        multiplier: ``[inputs]``, int64 (integer schemes) or float32.
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
    """Return ``input_scale * weight_scale / output_scale`` in float64 ``[n]`` (TensorFlow Lite's ``QuantizeMultiplier``)."""
    return np.float64(input_scale) * np.atleast_1d(np.asarray(weight_scale, np.float64)) / np.float64(output_scale)
