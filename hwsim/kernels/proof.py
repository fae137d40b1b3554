"""Which outputs cannot overflow, whatever the order of addition: proven by formats, by weights, by the operands.

All bounds are on every partial sum of a subset of the products, so that an exact product and one addition of the start
stand for the ordered loop. int64 throughout; the caller has shown that ``k * max|a w| + max|start| < 2^62``.
"""

from __future__ import annotations

import numpy as np

from hwsim.kernels.operands import magnitude
from hwsim.kernels.products.base import BoundedProducts
from hwsim.kernels.products.exact import ExactProducts
from hwsim.numerics.accumulator import Accumulator


def columns_that_fit(
    w: np.ndarray,
    folds: np.ndarray,
    psum: Accumulator,
    accumulator: Accumulator,
    start: np.ndarray,
    a_range: tuple[int, int],
    products: BoundedProducts | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return for each column whether its psum, and whether both its registers, hold every sum of any activations.

    By the largest product first; else by the exact range of each column and fold, per fold for psum.

    Args:
        w: integers ``[groups, k, n]``.
        folds: int64 lengths of the folds along k.
        psum: the register inside the array.
        accumulator: the register behind it.
        start: int64 ``[groups, m, n]``.
        a_range: smallest and largest activation.
        products: what multiplies; None multiplies exactly.

    Returns:
        Two bool arrays ``[groups, n]``.
    """
    first, last = start.min(axis=1, initial=0), start.max(axis=1, initial=0)
    products = products or ExactProducts(a_range=a_range)
    product = products.largest(w)
    everywhere = np.ones(first.shape, bool)
    psum_by_format = psum.bits is None or int(folds.max(initial=0)) * product <= psum.maximum
    if psum_by_format and (accumulator.bits is None or w.shape[1] * product + magnitude(start) <= accumulator.maximum):
        return everywhere, everywhere
    smallest, largest = products.fold_ranges(w, folds)
    psum_fits = everywhere if psum_by_format else _holds(psum, smallest.min(axis=1), largest.max(axis=1))
    return psum_fits, psum_fits & _holds(accumulator, first + smallest.sum(axis=1), last + largest.sum(axis=1))


def outputs_that_fit(
    negative: np.ndarray,
    positive: np.ndarray,
    start: np.ndarray,
    psum_fits: np.ndarray,
    psum: Accumulator,
    accumulator: Accumulator,
) -> np.ndarray:
    """Return for each output whether its registers hold every sum of its own products.

    Args:
        negative: the sum of its negative products, int64.
        positive: the sum of its positive products, of the same shape.
        start: what the accumulators hold at first.
        psum_fits: where psum is known to fit already; broadcasts.
        psum: the register inside the array.
        accumulator: the register behind it.
    """
    return (psum_fits | _holds(psum, negative, positive)) & _holds(accumulator, start + negative, start + positive)


def _holds(register: Accumulator, smallest: np.ndarray, largest: np.ndarray) -> np.ndarray:
    return (smallest >= register.minimum) & (largest <= register.maximum)
