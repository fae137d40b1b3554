"""Ordered accumulation of integer matrix products: the fast twin of ``hwsim.numerics.accumulator.accumulate``.

A checkpointed pass sums at the speed of a matrix product, and proves for most outputs that no register overflowed. The
others are followed addition by addition; so are, one after the other, the outputs that may hold the largest magnitude.
Results do not depend on which way an output took.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.kernels.operands import check_segments, check_tree
from hwsim.kernels.ordered.follow import Outcome, Product, ordered_product
from hwsim.kernels.ordered.lanes import INT16_MAX
from hwsim.kernels.ordered.optimistic import settle
from hwsim.numerics.accumulator import Accumulator
from hwsim.numerics.accumulator import accumulate as accumulate_one

INT64_MAX = (1 << 63) - 1
FEWEST_ROWS = 8  # that pay for packing the weights of a checkpointed pass
TILE = 16  # outputs side by side
FIRST_BATCH = 16  # outputs that are followed at first to find the largest magnitude


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ordered:
    """What ordered accumulation leaves behind.

    Args:
        values: the accumulators at the end, int64 ``[..., m, n]``.
        events: additions whose result did not fit their register, per output, int64 of that shape.
        peak: the largest magnitude that any output saw before any reduction.
    """

    values: np.ndarray
    events: np.ndarray
    peak: int


def accumulate(
    a: np.ndarray,
    w: np.ndarray,
    segments: Sequence[int] | np.ndarray,
    psum: Accumulator,
    accumulator: Accumulator,
    start: np.ndarray | int = 0,
    todo: np.ndarray | None = None,
    tree: int = 1,
) -> Ordered:
    """Accumulate ``a @ w`` in order of k, fold by fold, ``tree`` products at a time.

    Args:
        a: integers ``[m, k]`` or ``[groups, m, k]``, k in the array's order.
        w: integers ``[k, n]`` or ``[groups, k, n]``.
        segments: lengths of the folds along k.
        psum: the register inside the array; starts each fold at zero.
        accumulator: the register behind it.
        start: what the accumulators hold at first; broadcasts to the outputs.
        todo: bool of the outputs' shape; the values and events of the others have no meaning. None asks
            for all.
        tree: products of one fold that an adder tree sums exactly before each addition to psum.

    Raises:
        ExecutionError: segments that do not sum to k, a tree without inputs, or a value that leaves 64 bits in an exact
            register.
    """
    shape = (*a.shape[:-1], w.shape[-1])
    folds = check_segments(segments, w.shape[-2])
    tree = check_tree(tree, folds)
    starts = np.broadcast_to(np.asarray(start, np.int64), shape)
    todo = np.ones(shape, bool) if todo is None else todo
    if not todo.any():
        return Ordered(values=starts, events=np.zeros(shape, np.int64), peak=0)
    m, n = shape[-2:]
    left, right = a.reshape(-1, *a.shape[-2:]), w.reshape(-1, *w.shape[-2:])
    begin, wanted = starts.reshape(-1, m, n), todo.reshape(-1, m, n)
    crosswise = _padding(n) > 2 * _padding(m)
    if crosswise:  # outputs of one row lie side by side: let rows run over m where n would leave most lanes idle
        left, right = right.swapaxes(1, 2), left.swapaxes(1, 2)
        begin, wanted = begin.swapaxes(1, 2), wanted.swapaxes(1, 2)
    product = ordered_product(left, right, folds, psum, accumulator, begin, tree)
    if product is None:
        return _one_by_one(a, w, folds, psum, accumulator, starts, todo, tree)
    done = _accumulate(product, np.ascontiguousarray(wanted))
    values, events = (x.swapaxes(1, 2) if crosswise else x for x in (done.values, done.events))
    return Ordered(values=values.reshape(shape), events=events.reshape(shape), peak=_peak(product, done))


def _accumulate(product: Product, todo: np.ndarray) -> Outcome:
    """Settle what can be proven, follow what is in doubt; rows in which too much is in doubt are followed from the start."""
    groups, m, n = product.start.shape
    if product.lane is not np.int32 or product.reach.operand > INT16_MAX or m < FEWEST_ROWS:
        return product.follow_tiles(todo, may_be_narrow=False)
    values, events = np.empty((groups, m, n), np.int64), np.zeros((groups, m, n), np.int64)
    rest, doubts, parts = todo.copy(), [], []
    for g in range(groups):
        settled = settle(product, g, todo[g], values[g]) if todo[g].any() else None
        if settled is not None:
            rest[g, : settled.rows] = False
            doubts.append(settled.doubts + g * m * n)
            parts.append((settled.best, settled.open + g * m * n, settled.tops))
    if rest.any():
        followed = product.follow_tiles(rest, may_be_narrow=True)
        if rest.all():
            return followed
        np.copyto(values, followed.values, where=rest)
        np.copyto(events, followed.events, where=rest)
        parts.append((followed.best, followed.open, followed.tops))
    chosen = np.concatenate([np.zeros(0, np.int64), *doubts])
    if chosen.size:
        followed = product.follow_outputs(chosen, may_be_narrow=True)
        values.reshape(-1)[chosen], events.reshape(-1)[chosen] = followed.values, followed.events
        parts.append((followed.best, followed.open, followed.tops))
    best, open_, tops = zip(*parts, strict=True)
    return Outcome(values=values, events=events, best=max(best), open=np.concatenate(open_), tops=np.concatenate(tops))


def _peak(product: Product, done: Outcome) -> int:
    """Return the largest magnitude, following outputs whose bound exceeds what is known, the most promising first."""
    best, batch = done.best, FIRST_BATCH
    hopeful = done.tops > best
    left, tops = done.open[hopeful], done.tops[hopeful]
    order = np.argsort(-tops, kind="stable")
    left, tops = left[order], tops[order]
    while left.size and tops[0] > best:
        best = max(best, product.follow_outputs(left[:batch]).best)
        left, tops = left[batch:], tops[batch:]
        batch = min(2 * batch, int(np.count_nonzero(tops > best)))
    return best


def _padding(outputs: int) -> float:
    """Return how many lanes are computed for each output of a row."""
    return -(-outputs // TILE) * TILE / outputs


def _one_by_one(
    a: np.ndarray,
    w: np.ndarray,
    folds: np.ndarray,
    psum: Accumulator,
    accumulator: Accumulator,
    start: np.ndarray,
    todo: np.ndarray,
    tree: int,
) -> Ordered:
    """Run the definition for every output of ``todo``: slow, for sums that could leave 64 bits on the way."""
    values, events, peaks = (np.zeros(start.shape, object) for _ in range(3))
    for index in zip(*np.nonzero(todo), strict=True):
        *group, i, j = index
        products = [int(x) * int(y) for x, y in zip(a[(*group, i)], w[(*group, slice(None), j)], strict=True)]
        values[index], events[index], peaks[index] = accumulate_one(
            products, segments=folds.tolist(), psum=psum, accumulator=accumulator, start=int(start[index]), tree=tree
        )
    widest = max(abs(int(value)) for value in values.flat)
    if widest > INT64_MAX:
        raise ExecutionError(f"accumulate: a sum reaches {widest}, beyond 64 bits; use narrower operands or registers")
    return Ordered(values=values.astype(np.int64), events=events.astype(np.int64), peak=int(peaks.max()))
