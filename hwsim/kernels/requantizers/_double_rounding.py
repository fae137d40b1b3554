"""Fast twin of ``hwsim.numerics.requantizers._double_rounding``: the product in numpy, the division by ``fixed_point``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hwsim.kernels.operands import magnitude
from hwsim.kernels.requantizers import fixed_point
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers._constants import SumConstants
from hwsim.numerics.requantizers._double_rounding import FRACTION_BITS, DoubleSumConstants
from hwsim.numerics.rounding import Rounding

TOP = 1 << 31
LONGEST = 61


def _high(values: np.ndarray, multiplier: np.ndarray, shift: np.ndarray, saturates: bool) -> np.ndarray:
    """Return the upper halves of the doubled products, int64; ``values`` int64, multipliers of 32 bits."""
    left = np.clip(FRACTION_BITS - shift, 0, 32)
    raised = np.left_shift(values, left) if left.any() else values
    high = raised.astype(np.int32) * multiplier
    high += 1 << (FRACTION_BITS - 1)
    high >>= FRACTION_BITS
    if (multiplier == -TOP).any():
        high[high == TOP] = TOP - 1 if saturates else -TOP
    return high


def requantize(
    acc: np.ndarray,
    multiplier: np.ndarray,
    shift: np.ndarray,
    unit: Requantizer,
    zero_point: int,
    low: int,
    high: int,
    *,
    saturates: bool,
) -> tuple[np.ndarray, int, int] | None:
    """Return codes ``[rows, n]`` and the counts clipped at ``low`` and ``high``; None for multipliers beyond 32 bits."""
    if multiplier.size and not -TOP <= int(multiplier.min()) <= int(multiplier.max()) < TOP:
        return None
    products = _high(acc, multiplier, shift, saturates)
    right = np.clip(shift - FRACTION_BITS, 0, LONGEST)
    away = replace(unit, rounding=Rounding.HALF_AWAY)
    return fixed_point.requantize(products, np.ones_like(right), right, away, zero_point, low, high)


def rescale_sum(
    tensors: Sequence[np.ndarray],
    constants: SumConstants,
    unit: Requantizer,
    zero_point: int,
    low: int,
    high: int,
    *,
    saturates: bool,
) -> tuple[np.ndarray, int, int] | None:
    """Return codes of the tensors' shape and the two clip counts; None where a code leaves 32 bits when it moves up."""
    assert isinstance(constants, DoubleSumConstants)
    total = np.zeros(tensors[0].shape, np.int64)
    for tensor, multiplier, shift in zip(tensors, constants.multiplier, constants.shifts, strict=True):
        if magnitude(tensor) << constants.left_shift >= TOP:
            return None
        part = _high(tensor.astype(np.int64) << constants.left_shift, multiplier, shift, saturates)
        right = min(max(int(shift) - FRACTION_BITS, 0), LONGEST)
        if right:
            part += (1 << (right - 1)) - (part < 0)
            part >>= right
        total += part
    once = np.array([constants.total_multiplier], np.int64), np.array([constants.shift], np.int64)
    done = requantize(total.reshape(-1, 1), *once, unit, zero_point, low, high, saturates=saturates)
    return None if done is None else (done[0].reshape(total.shape), *done[1:])
