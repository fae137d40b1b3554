"""Fast twin of ``hwsim.numerics.requantizers.vta_shift``. It never passes to the definition run with wider bounds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwsim.kernels.requantizers import _common_shift
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers._constants import SumConstants
from hwsim.numerics.requantizers._double_rounding import wrap32
from hwsim.numerics.requantizers.vta_shift import register

BEYOND = 1 << 40


def _wrap32(values: np.ndarray) -> np.ndarray:
    return values.astype(np.int32).astype(np.int64)


def requantize(
    acc: np.ndarray,
    multiplier: np.ndarray,
    shift: np.ndarray,
    unit: Requantizer,
    zero_point: int,
    low: int,
    high: int,
) -> tuple[np.ndarray, int, int]:
    """Return codes ``[rows, n]``, and how many results lay below ``low`` and above ``high``, wrapped or not.

    Args:
        acc: int64 ``[rows, n]``.
        multiplier: not read.
        shift: int64 ``[n]``; negative ones multiply.
        unit: not read.
        zero_point: added after the shift.
        low: smallest code.
        high: largest code.
    """
    values = _wrap32(acc) << np.clip(-shift, 0, 32)
    values = _wrap32((values >> np.clip(shift, 0, 32)) + wrap32(zero_point))
    bottom, top = max(low, -BEYOND), min(high, BEYOND)
    below, above = int((values < bottom).sum()), int((values > top).sum())
    start, end = register(low, high) or (low - 1, high + 1)
    if low > start:
        np.maximum(values, bottom, out=values)
    if high < end:
        np.minimum(values, top, out=values)
    if low == start or high == end:
        values = ((values - start) & (end - start)) + start
    return values, below, above


def rescale_sum(
    tensors: Sequence[np.ndarray], constants: SumConstants, unit: Requantizer, zero_point: int, low: int, high: int
) -> tuple[np.ndarray, int, int]:
    """Return codes of the tensors' shape and the two counts; what 64 bits lose of a sum, 32 bits have lost already."""
    sums = _common_shift.wrapped_total(tensors, constants)
    shift = np.array([constants.shift], np.int64)
    codes, below, above = requantize(sums.reshape(-1, 1), shift, shift, unit, zero_point, low, high)
    return codes.reshape(sums.shape), below, above
