"""Activation codes on their way into a product: checked against the range that the weights were packed for, and converted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.kernels.gemm.weights import PackedWeights
from hwsim.kernels.operands import check_range


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Intake:
    """What codes of one type go through.

    Args:
        low: smallest code.
        high: largest code.
        is_checked: whether the type holds other codes, too, so that every array is looked through.
        dtype: what the route reads: uint8, int8 or int16; None where there is no route and any type will do.
    """

    low: int
    high: int
    is_checked: bool
    dtype: np.dtype | None

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Return ``codes`` in the type that the route reads.

        Raises:
            ExecutionError: a code outside the range.
        """
        if self.is_checked:
            check_range("gemm activations", codes, self.low, self.high)
        return codes if self.dtype is None or codes.dtype == self.dtype else codes.astype(self.dtype)


def intake(dtype: np.dtype, packed: PackedWeights) -> Intake:
    """Return the way of codes of ``dtype`` into products with ``packed``."""
    low, high = packed.code_range
    is_held = dtype.kind in "iu" and low <= np.iinfo(dtype).min and np.iinfo(dtype).max <= high
    target: np.dtype | None = dtype
    if packed.route is None:
        target = None
    elif dtype not in (np.uint8, np.int8):
        target = np.dtype(np.int16 if packed.route.word is np.int16 else np.uint8 if low >= 0 else np.int8)
    return Intake(low=low, high=high, is_checked=not is_held, dtype=target)
