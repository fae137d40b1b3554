"""Ordered accumulation of integer matrix products: the fast twin of ``hwsim.numerics.accumulator.accumulate``.

An optimistic pass adds without reductions and follows the extremes; outputs whose extremes do not fit their registers are
recounted, addition by addition. Both passes run side by side over outputs of one row, in the narrowest lanes that are
proven exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.kernels.operands import check_segments, check_tree, magnitude
from hwsim.kernels.ordered.lanes import Lanes, Reach, choose_lanes, fills
from hwsim.kernels.ordered.loop import ROWS, ordered
from hwsim.kernels.ordered.recount import STATE_ROWS, group_lanes
from hwsim.kernels.ordered.registers import EXACT, SATURATE, WRAP
from hwsim.kernels.ordered.sweep import tile_lanes
from hwsim.numerics.accumulator import Accumulator, Overflow
from hwsim.numerics.accumulator import accumulate as accumulate_one

INT64_MAX = (1 << 63) - 1
PIECE = 128  # products of a fold that are added to one row before the next row: their weights stay in the first cache
LOOK_EVERY = 256  # products between two looks at whether the optimistic pass still pays
MODES = {Overflow.EXACT: EXACT, Overflow.WRAP: WRAP, Overflow.SATURATE: SATURATE}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ordered:
    """What ordered accumulation leaves behind, per output; int64 ``[..., m, n]`` (Python ints for peaks beyond it).

    Args:
        values: the accumulators at the end.
        events: additions whose result did not fit their register.
        peaks: largest magnitude seen before any reduction.
    """

    values: np.ndarray
    events: np.ndarray
    peaks: np.ndarray


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
        todo: bool of the outputs' shape; what is returned for the others has no meaning. None asks for all.
        tree: products of one fold that an adder tree sums exactly before each addition to psum.

    Raises:
        ExecutionError: segments that do not sum to k, a tree without inputs, or a value that leaves 64 bits in an exact
            register.
    """
    shape = (*a.shape[:-1], w.shape[-1])
    folds = check_segments(segments, w.shape[-2])
    tree = check_tree(tree, folds)
    begin = np.broadcast_to(np.asarray(start, np.int64), shape)
    if not begin.size:
        return Ordered(values=begin, events=begin, peaks=begin)
    reach = _reach(a, w, folds, tree, begin)
    lanes = choose_lanes(reach, psum, accumulator)
    if lanes is None:
        return _one_by_one(a, w, folds, psum, accumulator, begin, tree)
    m, n = shape[-2:]
    left, right = a.reshape(-1, *a.shape[-2:]), w.reshape(-1, *w.shape[-2:])
    values = begin.reshape(-1, m, n)
    wanted = np.ones(values.shape, bool) if todo is None else todo.reshape(values.shape)
    tile = tile_lanes(np.iinfo(lanes.sums).bits)
    crosswise = _padding(n, tile) > 2 * _padding(m, tile)
    if (
        crosswise
    ):  # the lanes of a tile are outputs of one row: let them run over m where n would leave most of them idle
        left, right = right.swapaxes(1, 2), left.swapaxes(1, 2)
        values, wanted = values.swapaxes(1, 2), wanted.swapaxes(1, 2)
    values = np.array(values, np.int64, order="C")
    events, peaks = np.zeros_like(values), np.zeros_like(values)
    register = _register(psum, reach.fold, np.iinfo(lanes.recount))
    ordered(
        np.ascontiguousarray(left, lanes.sums),
        _panels(right, tile, lanes),
        _pieces(folds, tree, may_give_up=lanes.recount is not np.int16 or psum.bits != 16),
        tree,
        register,
        _register(accumulator, None, np.iinfo(np.int64)),
        *_limits(psum, accumulator, reach, lanes),
        np.logical_or.reduceat(wanted, range(0, wanted.shape[2], tile), axis=2),
        values,
        events,
        peaks,
        np.zeros((ROWS, 3, tile), lanes.sums),
        np.zeros((ROWS, 3, tile), lanes.totals),
        np.zeros((ROWS, STATE_ROWS, group_lanes(np.iinfo(lanes.recount).bits)), lanes.recount),
        register[1:3].astype(lanes.recount),
    )
    back = (x.swapaxes(1, 2) if crosswise else x for x in (values, events, peaks))
    values, events, peaks = (np.ascontiguousarray(x).reshape(shape) for x in back)
    return Ordered(values=values, events=events, peaks=peaks)


def _reach(a: np.ndarray, w: np.ndarray, folds: np.ndarray, tree: int, start: np.ndarray) -> Reach:
    left, right, longest = magnitude(a), magnitude(w), int(folds.max(initial=0))
    return Reach(
        operand=max(left, right),
        product=left * right,
        group=tree * left * right,
        fold=longest * left * right,
        folds=len(folds),
        k=int(folds.sum()),
        start=magnitude(start),
    )


def _padding(outputs: int, tile: int) -> float:
    """Return how many lanes are computed for each output of a row."""
    return -(-outputs // tile) * tile / max(outputs, 1)


def _panels(w: np.ndarray, tile: int, lanes: Lanes) -> np.ndarray:
    """Return ``w [groups, k, n]`` as ``[groups * tiles, k, tile]``, the last tile of each group filled with zeros."""
    groups, k, n = w.shape
    tiles = -(-n // tile)
    if n % tile:
        w = np.pad(w, ((0, 0), (0, 0), (0, tiles * tile - n)))
    tiled = np.ascontiguousarray(w.reshape(groups, k, tiles, tile).swapaxes(1, 2), lanes.sums)
    return tiled.reshape(groups * tiles, k, tile)


def _pieces(folds: np.ndarray, tree: int, may_give_up: bool) -> np.ndarray:
    """Cut the folds into pieces of whole tree groups: ``[p, 3]``, where each ends, ends its fold, is worth a look.

    A 16-bit register in 16-bit lanes must not give up: that a sum reached its end does not tell that it went beyond.
    """
    step = max(tree, PIECE // tree * tree)
    rows: list[tuple[int, bool, bool]] = []
    position = looked = 0
    for length in folds.tolist():
        for cut in range(step, length + step, step):
            end = position + min(cut, length)
            look = may_give_up and end - looked >= LOOK_EVERY
            looked = end if look else looked
            rows.append((end, cut >= length, look))
        position += length
    return np.array(rows, np.int64).reshape(-1, 3)


def _limits(psum: Accumulator, accumulator: Accumulator, reach: Reach, lanes: Lanes) -> tuple[np.ndarray, np.ndarray]:
    """Return the extremes ``[low, high]`` of psum and of the accumulator beyond which an optimistic output is in doubt.

    Lanes of 16 bits saturate: a 16-bit register is in doubt as soon as a sum reaches its end.
    """
    inside, behind = np.iinfo(lanes.sums), np.iinfo(lanes.totals)
    low, high = int(inside.min), int(inside.max)
    if fills(psum, reach.fold):
        shrink = lanes.sums is np.int16 and psum.bits == 16
        low, high = max(low, psum.minimum + shrink), min(high, psum.maximum - shrink)
    return np.array([low, high], lanes.sums), np.array(
        [max(accumulator.minimum, int(behind.min)), min(accumulator.maximum, int(behind.max))], lanes.totals
    )


def _register(register: Accumulator, reach: int | None, lane: np.iinfo) -> np.ndarray:
    """Return ``[mode, low, high, skip_zeros]``; a register that ``reach`` cannot fill is exact and without events."""
    if register.bits is None or (reach is not None and not fills(register, reach)):
        return np.array([EXACT, int(lane.min), int(lane.max), 1], np.int64)
    mode = MODES[register.overflow]
    low, high = max(register.minimum, int(lane.min)), min(register.maximum, int(lane.max))
    return np.array([mode, low, high, mode != EXACT], np.int64)


def _one_by_one(
    a: np.ndarray,
    w: np.ndarray,
    folds: np.ndarray,
    psum: Accumulator,
    accumulator: Accumulator,
    start: np.ndarray,
    tree: int,
) -> Ordered:
    """Run the definition for every output: slow, for sums that could leave 64 bits on the way."""
    values, events, peaks = (np.zeros(start.shape, object) for _ in range(3))
    for index in np.ndindex(start.shape):
        *group, i, j = index
        products = [int(x) * int(y) for x, y in zip(a[(*group, i)], w[(*group, slice(None), j)], strict=True)]
        values[index], events[index], peaks[index] = accumulate_one(
            products, segments=folds.tolist(), psum=psum, accumulator=accumulator, start=int(start[index]), tree=tree
        )
    widest = max((abs(int(value)) for value in values.flat), default=0)
    if widest > INT64_MAX:
        raise ExecutionError(f"accumulate: a sum reaches {widest}, beyond 64 bits; use narrower operands or registers")
    if max((int(peak) for peak in peaks.flat), default=0) <= INT64_MAX:
        peaks = peaks.astype(np.int64)
    return Ordered(values=values.astype(np.int64), events=events.astype(np.int64), peaks=peaks)
