"""What the registers of a product hold after each fold along k."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.execute.integer.product import ArrayProduct
from hwsim.mapping.mapping import Mapping
from hwsim.numerics.accumulator import Accumulator


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Folds:
    """Register contents, int64 ``[folds, groups, m, n]``.

    Args:
        psum: the partial sum that leaves the array, after its last addition of the fold.
        accumulator: the register behind the array, after that partial sum was added.
    """

    psum: np.ndarray
    accumulator: np.ndarray


def fold_by_fold(product: ArrayProduct, mapping: Mapping, accumulator: Accumulator, start: np.ndarray) -> Folds:
    """Return the registers after each fold, by the executor's own kernel run one fold at a time.

    Args:
        product: operands, and what accumulates them.
        mapping: which folds.
        accumulator: the register behind the array.
        start: int64 ``[groups, 1, n]``: what the accumulators hold at first.
    """
    psums, accumulators = [], []
    held: np.ndarray = start
    position = 0
    for length in mapping.k_segments:
        part = slice(position, position + length)
        left = np.ascontiguousarray(product.ifmap[:, :, part])
        right = np.ascontiguousarray(product.weight[:, part])
        psums.append(product.accumulate(left, right, [length], accumulator=Accumulator()).values)
        held = product.accumulate(left, right, [length], accumulator=accumulator, start=held).values
        accumulators.append(held)
        position += length
    return Folds(psum=np.stack(psums), accumulator=np.stack(accumulators))
