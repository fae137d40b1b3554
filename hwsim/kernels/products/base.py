"""What the accumulating front asks of a multiplier."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hwsim.kernels.accumulate import Ordered, accumulate
from hwsim.numerics.accumulator import Accumulator

PRODUCTS_AT_ONCE = 1 << 20  # written out at a time


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Order:
    """The registers that sums pass through, and in which order.

    Args:
        folds: int64 lengths of the folds along k.
        psum: the register inside the array.
        accumulator: the register behind it.
        tree: products summed exactly before each addition to psum.
    """

    folds: np.ndarray
    psum: Accumulator
    accumulator: Accumulator
    tree: int

    def accumulate(self, a: np.ndarray, w: np.ndarray, start: np.ndarray, todo: np.ndarray | None) -> Ordered:
        """Accumulate exact products, see ``hwsim.kernels.accumulate.accumulate``."""
        return accumulate(a, w, self.folds, self.psum, self.accumulator, start, todo, self.tree)


class Products(ABC):
    """Products of activations ``[groups, m, k]`` and weights ``[groups, k, n]``."""

    @abstractmethod
    def ordered(
        self, a: np.ndarray, w: np.ndarray, order: Order, start: np.ndarray, todo: np.ndarray | None = None
    ) -> Ordered:
        """Accumulate from ``start`` in ``order``; outputs outside of ``todo`` have no meaning."""


class BoundedProducts(Products):
    """Products of which enough is known to prove sums free of overflow."""

    @abstractmethod
    def largest(self, w: np.ndarray) -> int:
        """Return a bound on the magnitude of any product with these weights."""

    @abstractmethod
    def sums(self, a: np.ndarray, w: np.ndarray) -> np.ndarray:
        """Return the exact sums over k, int64 ``[groups, m, n]``."""

    @abstractmethod
    def signed_sums(self, a: np.ndarray, w: np.ndarray, exact: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the sums of the negative and of the positive products alone; ``exact`` are the sums of all."""

    @abstractmethod
    def fold_ranges(self, w: np.ndarray, folds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the smallest and the largest sum of any products of one fold, int64 ``[groups, folds, n]``."""


def ordered_by_rows(
    expand: Callable[[np.ndarray, np.ndarray], np.ndarray],
    a: np.ndarray,
    w: np.ndarray,
    order: Order,
    start: np.ndarray,
    todo: np.ndarray | None,
) -> Ordered:
    """Write the products of a few rows at a time out, and accumulate them as weights of activations that are 1.

    Args:
        expand: turns activations ``[rows, k]`` and weights ``[k, n]`` into integer products ``[rows, k, n]``.
        a: activations ``[groups, m, k]``, as ``expand`` takes them.
        w: weights ``[groups, k, n]``.
        order: of the additions.
        start: what the accumulators hold at first, ``[groups, m, n]``.
        todo: bool of that shape, or None for all.
    """
    groups, m, k = a.shape
    n = w.shape[2]
    values, events = (np.zeros((groups, m, n), np.int64) for _ in range(2))
    peak = 0
    rows = max(1, PRODUCTS_AT_ONCE // max(k * n, 1))
    for group in range(groups):
        for top in range(0, m, rows):
            part = slice(top, min(top + rows, m))
            products = expand(a[group, part], w[group])
            ones = np.ones((len(products), 1, k), products.dtype)
            chosen = None if todo is None else todo[group, part][:, None]
            done = order.accumulate(ones, products, start[group, part][:, None], chosen)
            peak = max(peak, done.peak)
            for into, out in ((values, done.values), (events, done.events)):
                into[group, part] = out.reshape(-1, n)
    return Ordered(values=values, events=events, peak=peak)
