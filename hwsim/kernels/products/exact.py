"""The exact multiplier: sums through the integer matrix product."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.kernels.accumulate import Ordered
from hwsim.kernels.gemm import exact_gemm
from hwsim.kernels.operands import absolute, magnitude
from hwsim.kernels.products.base import BoundedProducts, Order
from hwsim.numerics.bounds import fold_ranges


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactProducts(BoundedProducts):
    """``x * w``.

    Args:
        a_range: smallest and largest value that the format lets an activation take.
    """

    a_range: tuple[int, int]

    def largest(self, w: np.ndarray) -> int:
        """Return ``max|x| * max|w|``."""
        return max(-self.a_range[0], self.a_range[1]) * magnitude(w)

    def sums(self, a: np.ndarray, w: np.ndarray) -> np.ndarray:
        """Return ``a @ w``."""
        return exact_gemm(a, w, max(-self.a_range[0], self.a_range[1]), magnitude(w))

    def signed_sums(self, a: np.ndarray, w: np.ndarray, exact: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return ``(a @ w - |a| @ |w|) / 2`` and ``(a @ w + |a| @ |w|) / 2``."""
        a_size, w_size = absolute(a), absolute(w)
        reach = exact_gemm(a_size, w_size, magnitude(a_size), magnitude(w_size))
        return (exact - reach) >> 1, (exact + reach) >> 1

    def fold_ranges(self, w: np.ndarray, folds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return FINN's range of each column and fold."""
        return fold_ranges(w, folds, *self.a_range)

    def ordered(
        self, a: np.ndarray, w: np.ndarray, order: Order, start: np.ndarray, todo: np.ndarray | None = None
    ) -> Ordered:
        """Accumulate ``a @ w`` in order."""
        return order.accumulate(a, w, start, todo)
