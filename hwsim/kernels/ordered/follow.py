"""Outputs of one ordered product whose registers are followed addition by addition: whole tiles of them, or chosen ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hwsim.kernels.operands import magnitude
from hwsim.kernels.ordered.follower import STATE_ROWS
from hwsim.kernels.ordered.lanes import INT16_MAX, Lane, Reach, choose_lane, fills, fits_16_bits
from hwsim.kernels.ordered.loop import ROWS, follow_tiles
from hwsim.kernels.ordered.recount import tile_lanes
from hwsim.kernels.ordered.registers import EXACT, SATURATE, WRAP
from hwsim.kernels.ordered.scattered import STEPS, follow_outputs, output_lanes, transpose
from hwsim.numerics.accumulator import Accumulator, Overflow

PIECE = 128  # products of a fold that are added to one row before the next row: their weights stay in the first cache
MODES = {Overflow.EXACT: EXACT, Overflow.WRAP: WRAP, Overflow.SATURATE: SATURATE}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """What became of some outputs.

    Args:
        values: int64, the accumulators at the end.
        events: int64 of the same shape, additions whose result did not fit their register.
        best: a magnitude that a register saw before any reduction; the largest, but for the open outputs.
        open: int64, flat positions of outputs that may have seen a larger one.
        tops: bounds on the magnitudes that these saw.
    """

    values: np.ndarray
    events: np.ndarray
    best: int
    open: np.ndarray
    tops: np.ndarray


FEW = 4  # times as many columns as chosen outputs: then only their operands are copied


@dataclass(frozen=True, kw_only=True, eq=False)
class Product:
    """An ordered product of matrices.

    Args:
        a: integers ``[groups, m, k]``, k in the array's order.
        w: integers ``[groups, k, n]``.
        folds: int64 lengths of the folds along k.
        tree: products that are summed exactly before each addition.
        psum: the register inside the array.
        accumulator: the register behind it.
        start: int64 ``[groups, m, n]``, may be broadcast.
        reach: of the operands and start values.
        lane: exact for psum.
    """

    a: np.ndarray
    w: np.ndarray
    folds: np.ndarray
    tree: int
    psum: Accumulator
    accumulator: Accumulator
    start: np.ndarray
    reach: Reach
    lane: Lane

    def follow_tiles(self, todo: np.ndarray, may_be_narrow: bool) -> Outcome:
        """Follow all outputs in tiles of columns that have any of ``todo``, bool ``[groups, m, n]``.

        Args:
            todo: what counts; the others have no meaning.
            may_be_narrow: use lanes of 16 bits if they do. They leave outputs without overflow open.
        """
        lane = self._lane(may_be_narrow)
        lanes = tile_lanes(np.iinfo(lane).bits)
        values = np.array(self.start, order="C")
        events, peaks, tops = (np.zeros_like(values) for _ in range(3))
        panels = _panels(self.w, lanes, lane)
        best = follow_tiles(
            np.ascontiguousarray(self.a, lane),
            panels,
            _pieces(self.folds, self.tree),
            self.tree,
            _register(self.psum, self.reach, lane),
            _register(self.accumulator, None, np.int64),
            todo,
            values,
            events,
            peaks,
            tops,
            np.zeros((ROWS, STATE_ROWS, lanes), lane),
            np.empty(panels.shape[:2], np.int64 if lane is np.int64 else np.int32),
        )
        open_ = np.flatnonzero((tops > best) & todo)
        return Outcome(values=values, events=events, best=best, open=open_, tops=tops.reshape(-1)[open_])

    def follow_outputs(self, chosen: np.ndarray, may_be_narrow: bool = False) -> Outcome:
        """Follow some outputs; operands must be int16 and lanes 32 bits.

        Args:
            chosen: int64, flat positions in ``[groups, m, n]``.
            may_be_narrow: as above.
        """
        lane = self._lane(may_be_narrow)
        g, i, j = np.unravel_index(chosen, self.start.shape)
        values = self.start[g, i, j]
        events, peaks, tops = (np.zeros_like(values) for _ in range(3))
        _, m, n = self.start.shape
        if FEW * chosen.size < n:
            own = np.arange(chosen.size)
            rows, columns = _rows(self.a[g, i]), _rows(self.w.swapaxes(1, 2)[g, j])
            row_of, column_of = own, own
        else:
            (rows, columns), row_of, column_of = self._rows_along_k, g * m + i, g * n + j
        best = follow_outputs(
            rows,
            columns,
            row_of,
            column_of,
            self.folds,
            self.tree,
            _register(self.psum, self.reach, lane),
            _register(self.accumulator, None, np.int64),
            values,
            events,
            peaks,
            tops,
            np.zeros((STATE_ROWS, output_lanes(np.iinfo(lane).bits)), lane),
        )
        is_open = tops > best
        return Outcome(values=values, events=events, best=best, open=chosen[is_open], tops=tops[is_open])

    def _lane(self, may_be_narrow: bool) -> Lane:
        return np.int16 if may_be_narrow and fits_16_bits(self.reach, self.psum) else self.lane

    @cached_property
    def _rows_along_k(self) -> tuple[np.ndarray, np.ndarray]:
        """Activations ``[groups * m, k + STEPS]`` and weights ``[groups * n, k + STEPS]``."""
        k = self.a.shape[2]
        columns = np.zeros((*self.w.shape[::2], k + STEPS), np.int16)
        for into, w in zip(columns, self.w, strict=True):
            transpose(np.ascontiguousarray(w, np.int16), into)
        return _rows(self.a.reshape(-1, k)), columns.reshape(-1, k + STEPS)


def ordered_product(
    a: np.ndarray,
    w: np.ndarray,
    folds: np.ndarray,
    psum: Accumulator,
    accumulator: Accumulator,
    start: np.ndarray,
    tree: int,
) -> Product | None:
    """Return the ordered product, see ``Product``; None where even 64 bits may not hold a sum on the way."""
    left, right, longest = magnitude(a), magnitude(w), int(folds.max(initial=0))
    reach = Reach(
        operand=max(left, right),
        product=left * right,
        group=tree * left * right,
        fold=longest * left * right,
        folds=len(folds),
        k=int(folds.sum()),
        start=magnitude(start[tuple(slice(None if stride else 1) for stride in start.strides)]),
    )
    lane = choose_lane(reach, psum, accumulator)
    if lane is None:
        return None
    return Product(
        a=a, w=w, folds=folds, tree=tree, psum=psum, accumulator=accumulator, start=start, reach=reach, lane=lane
    )


def _rows(x: np.ndarray) -> np.ndarray:
    """Return ``[rows, k]`` as int16 ``[rows, k + STEPS]``."""
    wide = np.empty((len(x), x.shape[1] + STEPS), np.int16)
    wide[:, : x.shape[1]] = x
    wide[:, x.shape[1] :] = 0
    return wide


def _panels(w: np.ndarray, tile: int, lane: Lane) -> np.ndarray:
    """Return ``w [groups, k, n]`` as ``[groups * tiles, k, tile]``, the last tile of each group filled with zeros."""
    groups, k, n = w.shape
    tiles = -(-n // tile)
    if n % tile:
        w = np.pad(w, ((0, 0), (0, 0), (0, tiles * tile - n)))
    tiled = np.ascontiguousarray(w.reshape(groups, k, tiles, tile).swapaxes(1, 2), lane)
    return tiled.reshape(groups * tiles, k, tile)


def _pieces(folds: np.ndarray, tree: int) -> np.ndarray:
    """Cut the folds into pieces of whole tree groups: int64 ``[p, 2]``, where each ends, whether it ends its fold."""
    step = max(tree, PIECE // tree * tree)
    rows: list[tuple[int, bool]] = []
    position = 0
    for length in folds.tolist():
        rows += [(position + min(cut, length), cut >= length) for cut in range(step, length + step, step)]
        position += length
    return np.array(rows, np.int64).reshape(-1, 2)


def _register(register: Accumulator, reach: Reach | None, lane: Lane) -> np.ndarray:
    """Return ``[mode, low, high, skip_zeros, lift]``; a register that ``reach`` cannot fill is exact and without events."""
    edges = np.iinfo(lane)
    if register.bits is None or (reach is not None and not fills(register, reach.fold)):
        return np.array([EXACT, edges.min, edges.max, 1, -1], np.int64)
    mode, lift = MODES[register.overflow], max(16 - register.bits, 0)
    if lane is not np.int16 or reach is None or reach.group << lift > INT16_MAX:
        lift = -1
    low, high = max(register.minimum, int(edges.min)), min(register.maximum, int(edges.max))
    return np.array([mode, low, high, mode != EXACT, lift], np.int64)
