"""The Add of schemes whose multipliers share one shift: an exact sum in 64 bits, then one rounding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hwsim.kernels.operands import magnitude
from hwsim.kernels.requantizers import fixed_point
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers._constants import SumConstants
from hwsim.numerics.rounding import Rounding

INT64_MAX = (1 << 63) - 1


def wrapped_total(tensors: Sequence[np.ndarray], constants: SumConstants) -> np.ndarray:
    """Return the lower 64 bits of ``sum_i tensor_i * m_i`` as int64."""
    result = np.zeros(tensors[0].shape, np.int64)
    for tensor, factor in zip(tensors, constants.multiplier, strict=True):
        result += tensor.astype(np.int64) * factor
    return result


def total(tensors: Sequence[np.ndarray], constants: SumConstants) -> np.ndarray | None:
    """Return ``sum_i tensor_i * m_i`` as int64; None where a partial sum could leave 64 bits."""
    pairs = zip(constants.multiplier, tensors, strict=True)
    if sum(abs(int(factor)) * magnitude(tensor) for factor, tensor in pairs) > INT64_MAX:
        return None
    return wrapped_total(tensors, constants)


def rescale_sum(
    tensors: Sequence[np.ndarray],
    constants: SumConstants,
    unit: Requantizer,
    zero_point: int,
    low: int,
    high: int,
    *,
    rounding: Rounding,
) -> tuple[np.ndarray, int, int] | None:
    """Return codes of the tensors' shape and the two clip counts; None where the sum could leave 64 bits."""
    sums = total(tensors, constants)
    if sums is None:
        return None
    once = np.ones(1, np.int64), np.array([constants.shift], np.int64)
    rounded = replace(unit, rounding=rounding)
    done = fixed_point.requantize(sums.reshape(-1, 1), *once, rounded, zero_point, low, high)
    return None if done is None else (done[0].reshape(sums.shape), *done[1:])
