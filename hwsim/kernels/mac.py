"""Multiply and accumulate a layer as its datapath does: prove what cannot overflow, and run the ordered loop on the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwsim.kernels.accumulate import Ordered
from hwsim.kernels.operands import check_range, check_segments, check_tree, magnitude
from hwsim.kernels.ordered.lanes import INT64_SAFE
from hwsim.kernels.products.base import BoundedProducts, Order
from hwsim.kernels.products.choose import products_of
from hwsim.kernels.proof import columns_that_fit, outputs_that_fit
from hwsim.numerics.accumulator import Accumulator
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.multiplier import EXACT, Multiplier


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Accumulation:
    """The accumulators of one layer and what happened to them.

    Args:
        values: int64 ``[..., m, n]``.
        overflow_events: additions whose result did not fit their register, over all outputs.
        overflow_outputs: outputs with at least one such event.
        peak: a largest magnitude: of the final value for a proven output, of every sum on the way for another one.
        proven_outputs: outputs that bounds proved free of overflow, so that no order of addition matters to them.
        overflowed: which outputs, bool ``[..., m, n]``; None where none did.
    """

    values: np.ndarray
    overflow_events: int
    overflow_outputs: int
    peak: int
    proven_outputs: int
    overflowed: np.ndarray | None = None


def accumulate_gemm(
    a: np.ndarray,
    w: np.ndarray,
    segments: Sequence[int] | np.ndarray,
    *,
    psum: Accumulator,
    accumulator: Accumulator,
    start: np.ndarray | int = 0,
    a_range: tuple[int, int],
    tree: int = 1,
    multiplier: Multiplier = EXACT,
    formats: tuple[IntFormat, IntFormat] | None = None,
) -> Accumulation:
    """Return ``start + a @ w`` as the registers hold it; values and events are those of the ordered loop on every output.

    With a multiplier that is not exact, products of its own take the place of ``a * w``.

    Args:
        a: centred integer activations ``[m, k]`` or ``[groups, m, k]``, k in the array's order.
        w: centred integer weights ``[k, n]`` or ``[groups, k, n]``.
        segments: lengths of the folds along k.
        psum: the register inside the array.
        accumulator: the register behind it.
        start: what the accumulators hold at first (a preloaded bias); broadcasts to ``[..., m, n]``.
        a_range: smallest and largest value that the format lets ``a`` take.
        tree: products of one fold that an adder tree sums exactly before each addition to psum.
        multiplier: what computes the product of an activation and a weight.
        formats: of the activations and weights as they enter the multiplier (centred codes of an asymmetric grid: signed,
            one bit wider); an exact multiplier does not need them.

    Raises:
        ExecutionError: an activation outside ``a_range``, segments that do not sum to k, a tree without inputs, formats
            that are missing, a function that cannot be compiled, a sum beyond 64 bits.
        HwsimError: formats wider than the multiplier's table.
    """
    check_range("activations", a, *a_range)
    folds = check_segments(segments, w.shape[-2])
    shape = (*a.shape[:-1], w.shape[-1])
    begin = np.broadcast_to(np.asarray(start, np.int64), shape).reshape(-1, *shape[-2:])
    a, w = a.reshape(-1, *a.shape[-2:]), w.reshape(-1, *w.shape[-2:])
    products = products_of(multiplier, formats, a_range)
    order = Order(folds=folds, psum=psum, accumulator=accumulator, tree=check_tree(tree, folds))
    if not isinstance(products, BoundedProducts) or w.shape[1] * products.largest(w) + magnitude(begin) >= INT64_SAFE:
        everything = np.ones(begin.shape, bool)
        rest = products.ordered(a, w, order, begin)
        return _summary(
            rest.values.reshape(shape), everything.reshape(shape), rest, everything, rest.events.reshape(shape) > 0
        )
    exact = products.sums(a, w)
    psum_fits, fits = columns_that_fit(w, folds, psum, accumulator, begin, a_range, products)
    values = exact + begin
    if fits.all():
        return _summary(values.reshape(shape), None, None)
    groups, columns = _remaining(fits)
    part = (groups, slice(None), columns)
    a_left, w_left = a[groups], w[part]
    negative, positive = products.signed_sums(a_left, w_left, exact[part])
    open_left = ~outputs_that_fit(
        negative, positive, begin[part], psum_fits[groups, None, columns], psum, accumulator
    ) & (~fits[groups, None, columns])
    if not open_left.any():
        return _summary(values.reshape(shape), None, None)
    # Columns with the most open outputs first: the ordered loop skips whole tiles of columns that have none.
    crowded = np.argsort(-np.count_nonzero(open_left, axis=(0, 1)), kind="stable")
    todo = open_left[:, :, crowded]
    rest = products.ordered(a_left, w_left[:, :, crowded], order, begin[part][:, :, crowded], todo)
    is_open = np.zeros(values.shape, bool)
    is_open[part] = open_left
    back = np.argsort(crowded)
    values[part] = np.where(open_left, rest.values[:, :, back], values[part])
    overflowed = np.zeros(values.shape, bool)
    overflowed[part] = open_left & (rest.events[:, :, back] > 0)
    return _summary(values.reshape(shape), is_open.reshape(shape), rest, todo, overflowed.reshape(shape))


def _remaining(fits: np.ndarray) -> tuple[slice | np.ndarray, slice | np.ndarray]:
    """Return what is not proven of ``fits [groups, n]``: whole groups, or columns where there is one group."""
    if fits.shape[0] == 1:
        return slice(None), np.flatnonzero(~fits[0])
    return np.flatnonzero(~fits.all(axis=1)), slice(None)


def _summary(
    values: np.ndarray,
    is_open: np.ndarray | None,
    rest: Ordered | None,
    todo: np.ndarray | None = None,
    overflowed: np.ndarray | None = None,
) -> Accumulation:
    """Join proven outputs and the ordered ``rest``, of which only the outputs ``todo`` count."""
    if is_open is None or rest is None or todo is None:
        return Accumulation(
            values=values, overflow_events=0, overflow_outputs=0, peak=magnitude(values), proven_outputs=values.size
        )
    events = rest.events[todo]
    return Accumulation(
        values=values,
        overflow_events=int(events.sum()),
        overflow_outputs=int(np.count_nonzero(events)),
        peak=max(rest.peak, magnitude(values[~is_open])),
        proven_outputs=values.size - events.size,
        overflowed=overflowed if events.any() else None,
    )
