"""What a fast requantizer is given: columns of accumulators, or terms of a sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwsim.kernels.operands import magnitude
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers._constants import SumConstants

INT64_MAX = (1 << 63) - 1

Codes = tuple[np.ndarray, int, int]
"""Codes, and how many results lay below the smallest and above the largest code."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """Accumulators, one column per output channel.

    Args:
        acc: int64 ``[rows, n]``.
        multiplier: ``[n]``, int64 or as the scheme's constants are.
        shift: int64 ``[n]``; negative ones multiply.
        unit: the requantizer.
        zero_point: output zero point.
        low: smallest code.
        high: largest code.
    """

    acc: np.ndarray
    multiplier: np.ndarray
    shift: np.ndarray
    unit: Requantizer
    zero_point: int
    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Terms:
    """Centred codes on grids of their own, to be added on one output grid.

    Args:
        tensors: integers of one common shape.
        constants: one multiplier per tensor, and the shift of the sum.
        unit: the requantizer.
        zero_point: output zero point.
        low: smallest code.
        high: largest code.
    """

    tensors: Sequence[np.ndarray]
    constants: SumConstants
    unit: Requantizer
    zero_point: int
    low: int
    high: int

    def wrapped_total(self) -> np.ndarray:
        """Return the lower 64 bits of ``sum_i tensor_i * multiplier_i`` as int64."""
        result = np.zeros(self.tensors[0].shape, np.int64)
        for tensor, factor in zip(self.tensors, self.constants.multiplier, strict=True):
            result += tensor.astype(np.int64) * factor
        return result

    def total(self) -> np.ndarray | None:
        """Return ``sum_i tensor_i * multiplier_i`` as int64; None where a partial sum could leave 64 bits."""
        pairs = zip(self.constants.multiplier, self.tensors, strict=True)
        if sum(abs(int(factor)) * magnitude(tensor) for factor, tensor in pairs) > INT64_MAX:
            return None
        return self.wrapped_total()

    def column(self, sums: np.ndarray, multiplier: int = 1, shift: int | None = None) -> Columns:
        """Return ``sums`` as one column, with a multiplier and the shift of the constants or another one."""
        places = self.constants.shift if shift is None else shift
        return Columns(
            acc=sums.reshape(-1, 1),
            multiplier=np.array([multiplier], np.int64),
            shift=np.array([places], np.int64),
            unit=self.unit,
            zero_point=self.zero_point,
            low=self.low,
            high=self.high,
        )


def shaped(done: Codes | None, shape: tuple[int, ...]) -> Codes | None:
    """Return ``done`` with its codes in ``shape``."""
    return None if done is None else (done[0].reshape(shape), *done[1:])
