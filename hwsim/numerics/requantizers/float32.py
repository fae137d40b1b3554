"""One float32 multiplication: ``y = round_half_even(clamp(f32(f32(acc) * S), low - z, high - z)) + z``.

ONNX Runtime (``core/mlas/lib/quantize.cpp: MlasRequantizeOutput``), XNNPACK's ``fp32`` kernels and Gemmini's
``ACC_SCALE``. Rounding is always half to even. Bounds are integers and rounding is monotone, so clamping before or after
it gives the same code; the definition rounds first, which stays exact for codes wider than float32's 24 bits.
"""

from __future__ import annotations

import numpy as np

from hwsim.errors import HwsimError
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers._constants import Constants, SumConstants, finite
from hwsim.numerics.requantizers._constants import float32_ratio as real_scale
from hwsim.numerics.rounding import Rounding, rounding_shift

__all__ = ["KEYS", "constants", "float32_of", "real_scale", "requantize_one", "rescale_sum_one", "sum_constants"]

KEYS: dict[str, object] = {}
SIGNIFICAND_BITS = 24


def float32_of(value: int) -> np.float32:
    """Return the float32 nearest to an integer of any size below 2^127, ties to even, in one rounding.

    >>> int(float32_of(2**24 + 1)), int(float32_of(2**24 + 3))
    (16777216, 16777220)
    """
    excess = max(abs(value).bit_length() - SIGNIFICAND_BITS, 0)
    return np.float32(np.ldexp(float(rounding_shift(value, excess, Rounding.HALF_EVEN)), excess))


def _as_float32(real: np.ndarray) -> np.ndarray:
    values = finite(real)
    if (np.abs(values) > np.finfo(np.float32).max).any():
        raise HwsimError(f"requantizer: scale {np.abs(values).max():g} is beyond float32; check the layer's scales")
    return values.astype(np.float32)


def constants(real_scale: np.ndarray, unit: Requantizer) -> Constants:
    """Return ``f32(real_scale)`` of float64 ``[n]`` as multiplier, and zero shifts."""
    multiplier = _as_float32(real_scale)
    return Constants(multiplier=multiplier, shift=np.zeros(multiplier.shape, np.int64))


def _to_code(real: np.float32, zero_point: int, low: int, high: int) -> int:
    if not np.isfinite(real):
        return high if real > 0 else low
    return min(max(int(np.rint(real)) + zero_point, low), high)


def requantize_one(
    value: int, multiplier: float, shift: int, unit: Requantizer, zero_point: int, low: int, high: int
) -> int:
    """Return ``clamp(round_half_even(f32(f32(value) * multiplier)) + zero_point, low, high)``.

    >>> requantize_one(5, 0.5, 0, Requantizer(scheme="float32"), 1, -128, 127)
    3
    """
    with np.errstate(over="ignore", under="ignore"):
        return _to_code(float32_of(int(value)) * np.float32(multiplier), zero_point, low, high)


def sum_constants(real_ratios: np.ndarray, unit: Requantizer) -> SumConstants:
    """Return ``f32(real_ratios)`` of float64 ``[inputs]`` (scale of the input over scale of the output)."""
    return SumConstants(multiplier=_as_float32(real_ratios), shift=0)


def rescale_sum_one(
    values: list[int], constants: SumConstants, unit: Requantizer, zero_point: int, low: int, high: int
) -> int:
    """Return ``clamp(round_half_even(f32 sum of f32(f32(value_i) * r_i)) + zero_point, low, high)`` of centred codes.

    The sum runs in operand order, every product and addition rounded to float32 (no fused multiply-add).
    """
    total = np.float32(0)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        for index, (value, ratio) in enumerate(zip(values, constants.multiplier, strict=True)):
            term = float32_of(int(value)) * np.float32(ratio)
            total = term if index == 0 else total + term
    if np.isnan(total):
        raise HwsimError("requantizer: a float32 sum is infinity minus infinity; check the scales of the inputs")
    return _to_code(total, zero_point, low, high)
