"""One float64 multiplication: ``y = clamp(round_half_away(f64(acc) * S) + z, low, high)``.

LiteRT's reference kernel of FULLY_CONNECTED, since it was freed from fixed point: ``static_cast<int32>(round(acc * scale))``
with ``scale = input * weight / output`` in double (``kernels/internal/reference/integer_ops/fully_connected.h``).
"""

from __future__ import annotations

import numpy as np

from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers._constants import Constants, SumConstants, finite
from hwsim.numerics.requantizers._constants import real_ratio as real_scale
from hwsim.numerics.rounding import Rounding, round_real

__all__ = ["KEYS", "constants", "real_scale", "requantize_one", "rescale_sum_one", "sum_constants"]

KEYS: dict[str, object] = {}


def constants(real_scale: np.ndarray, unit: Requantizer) -> Constants:
    """Return float64 ``[n]`` as multiplier, and zero shifts."""
    multiplier = finite(real_scale)
    return Constants(multiplier=multiplier, shift=np.zeros(multiplier.shape, np.int64))


def _to_code(real: float, zero_point: int, low: int, high: int) -> int:
    return min(max(int(round_real(np.asarray(real), Rounding.HALF_AWAY)) + zero_point, low), high)


def requantize_one(
    value: int, multiplier: float, shift: int, unit: Requantizer, zero_point: int, low: int, high: int
) -> int:
    """Return ``clamp(round_half_away(f64(value) * multiplier) + zero_point, low, high)``.

    >>> [requantize_one(v, 0.5, 0, Requantizer(scheme="float64"), 1, -128, 127) for v in (-3, -1, 1, 3)]
    [-1, 0, 2, 3]
    """
    return _to_code(float(int(value)) * float(multiplier), zero_point, low, high)


def sum_constants(real_ratios: np.ndarray, unit: Requantizer) -> SumConstants:
    """Return float64 ``[inputs]`` (scale of the input over scale of the output)."""
    return SumConstants(multiplier=finite(real_ratios), shift=0)


def rescale_sum_one(
    values: list[int], constants: SumConstants, unit: Requantizer, zero_point: int, low: int, high: int
) -> int:
    """Return ``clamp(round_half_away(sum of f64(value_i) * r_i) + zero_point, low, high)`` of centred codes.

    The sum runs in operand order, every product and addition rounded to float64 (no fused multiply-add).
    """
    total = 0.0
    for index, (value, ratio) in enumerate(zip(values, constants.multiplier, strict=True)):
        term = float(int(value)) * float(ratio)
        total = term if index == 0 else total + term
    return _to_code(total, zero_point, low, high)
