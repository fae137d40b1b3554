"""Sums of rescaled folds, addition by addition: the arithmetic of ``hwsim.numerics.segments`` on unbounded integers."""

from __future__ import annotations

import numpy as np

from hwsim.numerics.accumulator import Accumulator, accumulate
from hwsim.numerics.rounding import Rounding, rounding_shift

ZERO = np.float32(0)


def accumulate_scaled(
    products: list[int],
    *,
    folds: list[int],
    constants: list[tuple[int, int]],
    rounding: Rounding,
    psum: Accumulator,
    accumulator: Accumulator,
    start: int = 0,
    beside: list[int] | None = None,
    tree: int = 1,
) -> tuple[int, int, int]:
    """Add ``products`` as a mapped array with an integer scaler does; the slow twin of ``hwsim.kernels.segments``.

    Args:
        products: exact products in the array's order of k.
        folds: lengths of the folds; they sum to ``len(products)``.
        constants: multiplier and shift of each fold.
        rounding: of a term.
        psum: register inside the array.
        accumulator: register behind it.
        start: what the accumulator holds before the first fold (a preloaded constant).
        beside: what joins the sum of each fold exactly before it is rescaled; None for nothing.
        tree: products that are summed exactly before each addition to psum; 1 without a tree.

    Returns:
        The final accumulator, the additions whose result did not fit their register, and the largest magnitude seen in
        a register before any reduction.

    >>> exact = Accumulator()
    >>> accumulate_scaled([3, 5, 7], folds=[1, 2], constants=[(64, 7), (128, 7)], rounding=Rounding.HALF_UP, psum=exact,
    ...     accumulator=exact)
    (14, 0, 14)
    """
    total, events, peak = accumulator.reduce(start), int(not accumulator.fits(start)), abs(start)
    position = 0
    for fold, length in enumerate(folds):
        partial, missed, highest = accumulate(
            products[position : position + length],
            segments=[length],
            psum=psum,
            accumulator=Accumulator(),
            tree=tree,
        )
        position += length
        multiplier, shift = constants[fold]
        total += rounding_shift((partial + (beside[fold] if beside else 0)) * multiplier, shift, rounding)
        events += missed + (not accumulator.fits(total))
        peak = max(peak, highest, abs(total))
        total = accumulator.reduce(total)
    return total, events, peak


def accumulate_real(sums: list[int], scales: list[np.float32], start: np.float32 = ZERO) -> np.float32:
    """Return the float32 register after the sums of all folds, each times ``f32(ifmap scale * weight scale)``.

    >>> float(accumulate_real([3, 1], [np.float32(0.5), np.float32(2)]))
    3.5
    """
    total = start
    for value, scale in zip(sums, scales, strict=True):
        total = np.float32(total + np.float32(np.float32(value) * scale))
    return total
