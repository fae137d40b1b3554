"""Fast twin of ``hwsim.numerics.requantizers.nvdla_sdp``: ``fixed_point`` behind the offset, with halves away from zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hwsim.kernels.operands import magnitude
from hwsim.kernels.requantizers import _common_shift, fixed_point
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers._constants import SumConstants
from hwsim.numerics.requantizers.nvdla_sdp import NARROW, WIDE, offset_of
from hwsim.numerics.rounding import Rounding

INT64_SAFE = 1 << 62


def _convert(
    centred: np.ndarray, multiplier: np.ndarray, shift: np.ndarray, unit: Requantizer, low: int, high: int
) -> tuple[np.ndarray, int, int] | None:
    """Round, saturate to 17 bits and to the output; None for outputs wider than 17 bits."""
    if not -NARROW < low <= high < NARROW - 1:
        return None
    away = replace(unit, rounding=Rounding.HALF_AWAY)
    return fixed_point.requantize(centred, multiplier, shift, away, 0, low, high)


def requantize(
    acc: np.ndarray,
    multiplier: np.ndarray,
    shift: np.ndarray,
    unit: Requantizer,
    zero_point: int,
    low: int,
    high: int,
) -> tuple[np.ndarray, int, int] | None:
    """Return codes ``[rows, n]`` and the counts clipped at ``low`` and ``high``; None for outputs wider than 17 bits.

    Raises:
        HwsimError: an output zero point that 32 bits of offset cannot stand for.
    """
    pairs = zip(multiplier.tolist(), shift.tolist(), strict=True)
    offsets = np.array([offset_of(zero_point, factor, places) for factor, places in pairs], np.int64)
    entered = acc if magnitude(acc) < WIDE else np.clip(acc, -WIDE, WIDE - 1)
    centred = entered - offsets if offsets.any() else entered
    return _convert(centred, multiplier, shift, unit, low, high)


def rescale_sum(
    tensors: Sequence[np.ndarray], constants: SumConstants, unit: Requantizer, zero_point: int, low: int, high: int
) -> tuple[np.ndarray, int, int] | None:
    """Return codes of the tensors' shape and the two clip counts; None where 64 bits or 17-bit outputs would not do."""
    sums, moved = _common_shift.total(tensors, constants), zero_point << constants.shift
    if sums is None or magnitude(sums) + abs(moved) >= INT64_SAFE:
        return None
    once = np.ones(1, np.int64), np.array([constants.shift], np.int64)
    done = _convert((sums + moved).reshape(-1, 1), *once, unit, low, high)
    return None if done is None else (done[0].reshape(sums.shape), *done[1:])
