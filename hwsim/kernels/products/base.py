"""What the accumulating front asks of a multiplier."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from hwsim.kernels.accumulate import Ordered
from hwsim.numerics.accumulator import Accumulator


class Products(ABC):
    """Products of activations ``[groups, m, k]`` and weights ``[groups, k, n]``."""

    @abstractmethod
    def ordered(
        self,
        a: np.ndarray,
        w: np.ndarray,
        folds: np.ndarray,
        psum: Accumulator,
        accumulator: Accumulator,
        start: np.ndarray,
        todo: np.ndarray | None,
        tree: int,
    ) -> Ordered:
        """Accumulate in order, as ``hwsim.kernels.accumulate.accumulate`` does."""


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
    accumulate_products: Callable[[np.ndarray, tuple[int, slice]], Ordered],
    entries: int,
) -> Ordered:
    """Run ``accumulate_products`` on written-out products of a few rows at a time.

    Args:
        expand: turns activations ``[rows, k]`` and weights ``[k, n]`` into products ``[rows, k, n]``.
        a: activations ``[groups, m, k]``.
        w: weights ``[groups, k, n]``.
        accumulate_products: accumulates ``[rows, k, n]`` products; is told which group and rows they are.
        entries: how many products to write at a time.
    """
    groups, m, k = a.shape
    n = w.shape[2]
    values, events, peaks = (np.zeros((groups, m, n), np.int64) for _ in range(3))
    rows = max(1, entries // max(k * n, 1))
    for group in range(groups):
        for top in range(0, m, rows):
            part = slice(top, min(top + rows, m))
            done = accumulate_products(expand(a[group, part], w[group]), (group, part))
            if done.peaks.dtype == object:
                peaks = peaks.astype(object)
            for into, out in ((values, done.values), (events, done.events), (peaks, done.peaks)):
                into[group, part] = out.reshape(-1, n)
    return Ordered(values=values, events=events, peaks=peaks)
