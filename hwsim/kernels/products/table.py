"""A multiplier whose products are a table of all pairs of codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.kernels.accumulate import Ordered
from hwsim.kernels.operands import check_range, magnitude
from hwsim.kernels.products.base import BoundedProducts, Order, ordered_by_rows
from hwsim.kernels.products.gather import gather_products, gather_sums
from hwsim.numerics.bounds import sums_of_folds
from hwsim.numerics.formats import IntFormat


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TableProducts(BoundedProducts):
    """Looks its products up.

    Args:
        table: int64 ``[activation.levels, weight.levels]``, from the smallest codes.
        activation: format of the activations that enter the multiplier.
        weight: format of the weights that enter it.
        a_range: smallest and largest activation that the layer can meet.
    """

    table: np.ndarray
    activation: IntFormat
    weight: IntFormat
    a_range: tuple[int, int]

    def largest(self, w: np.ndarray) -> int:
        """Return the largest magnitude in the table."""
        return magnitude(self.table)

    def sums(self, a: np.ndarray, w: np.ndarray) -> np.ndarray:
        """Return the sums of the looked-up products."""
        return self._gather(a, w, self.table)

    def signed_sums(self, a: np.ndarray, w: np.ndarray, exact: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the sums of the table's negative and of its positive entries."""
        positive = self._gather(a, w, np.maximum(self.table, 0))
        return exact - positive, positive

    def fold_ranges(self, w: np.ndarray, folds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the sums of each weight's smallest and of its largest products, none being a product of zero."""
        low, high = (bound - self.activation.minimum for bound in self.a_range)
        columns = self._index("weights", w, self.weight)
        reachable = self.table[low : high + 1]
        smallest, largest = reachable.min(axis=0, initial=0), reachable.max(axis=0, initial=0)
        return sums_of_folds(smallest[columns], folds), sums_of_folds(largest[columns], folds)

    def ordered(
        self, a: np.ndarray, w: np.ndarray, order: Order, start: np.ndarray, todo: np.ndarray | None = None
    ) -> Ordered:
        """Write the products out, a few rows at a time, and accumulate them."""
        rows, columns = self._indices(a, w)
        narrow = np.int16 if magnitude(self.table) < 1 << 15 else np.int64
        table = np.ascontiguousarray(self.table, narrow)

        def expand(part: np.ndarray, weights: np.ndarray) -> np.ndarray:
            products = np.empty((*part.shape, weights.shape[1]), narrow)
            gather_products(part, weights, table, products)
            return products

        return ordered_by_rows(expand, rows, columns, order, start, todo)

    def _gather(self, a: np.ndarray, w: np.ndarray, table: np.ndarray) -> np.ndarray:
        rows, columns = self._indices(a, w)
        narrow = np.int32 if magnitude(table) < 1 << 29 else np.int64  # four entries are added before 64 bits
        table = np.ascontiguousarray(table, narrow)
        sums = np.zeros((*a.shape[:-1], w.shape[-1]), np.int64)
        for group in range(len(a)):
            gather_sums(rows[group], columns[group], table, ~table.any(axis=1), sums[group])
        return sums

    def _indices(self, a: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self._index("activations", a, self.activation), self._index("weights", w, self.weight)

    def _index(self, name: str, codes: np.ndarray, number: IntFormat) -> np.ndarray:
        """Return the codes as positions in the table, in 16 or 32 bits."""
        check_range(name, codes, number.minimum, number.maximum)
        kind = np.uint16 if number.levels <= 1 << 16 else np.uint32
        return np.ascontiguousarray(codes.astype(np.int64) - number.minimum, kind)
