"""Ordered accumulation over groups, rows, tiles of columns, folds: optimistic first, recounted where it has to be."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.kernels.ordered.optimistic import is_in_doubt, prepare, settle, sweep_tile
from hwsim.kernels.ordered.picks import Terms, pick_rows
from hwsim.kernels.ordered.registers import finish, recount_group

ROWS = 32  # rows of the activations that share one walk over the weights


@kernel
def ordered(
    a: Any,
    panels: Any,
    pieces: Any,
    tree: Any,
    psum: Any,
    accumulator: Any,
    inside: Any,
    behind: Any,
    todo: Any,
    values: Any,
    events: Any,
    peaks: Any,
    sums: Any,
    totals: Any,
    state: Any,
    edges: Any,
) -> None:
    """Accumulate ``a @ w`` in order for the tiles of ``todo``, in place.

    Args:
        a: lane ``[groups, m, k]``.
        panels: lane ``[groups * tiles, k, tile]``: the weights in tiles of columns, the last of each group filled with zeros.
        pieces: int64 ``[p, 3]``: where each piece of k ends, whether it ends its fold, whether to look for overflows.
        tree: products that are summed exactly before each addition.
        psum: int64 ``[mode, low, high, skip_zeros]``; a zero product is no event, save in an exact register that is over.
        accumulator: the same of the accumulator.
        inside: lane ``[2]``: extremes of psum beyond which an output is recounted.
        behind: the same of the accumulator, in its lanes.
        todo: bool ``[groups, m, tiles]``.
        values: int64 ``[groups, m, n]``, holds the start values, receives the sums.
        events: int64 of the same shape, receives the overflow counts; zeros before.
        peaks: int64 of the same shape, receives the largest magnitudes.
        sums: lane ``[ROWS, 3, tile]``, scratch: partial sums, their maxima and minima.
        totals: int32 or int64 of the same shape, scratch: the same of the accumulators.
        state: lanes of the recount ``[ROWS, 4, group]``, scratch.
        edges: the same lanes ``[2]``: low and high of psum.
    """
    groups, m, k = a.shape
    tile_lanes, group, n = panels.shape[2], state.shape[2], values.shape[2]
    terms = Terms(
        np.empty((ROWS, k), a.dtype),
        np.empty((ROWS, k), np.int32),
        np.empty((ROWS, k + 1 if tree > 1 else 0), np.int32),
        np.empty((ROWS, len(pieces) + 1), np.int64),
    )
    alive = np.empty(ROWS, np.bool_)
    doubtful = np.empty(ROWS, np.int64)
    for g in range(groups):
        for top in range(0, m, ROWS):
            rows = min(ROWS, m - top)
            wanted = todo[g, top : top + rows]
            if not wanted.any():
                continue
            pick_rows(a[g, top : top + rows], pieces, tree, psum[3] != 0, terms)
            for tile in range(todo.shape[2]):
                begin, count = tile * tile_lanes, min(tile_lanes, n - tile * tile_lanes)
                panel = g * todo.shape[2] + tile
                out = values[g, top : top + rows, begin : begin + count]
                over = events[g, top : top + rows, begin : begin + count]
                peak = peaks[g, top : top + rows, begin : begin + count]
                for i in range(rows):
                    alive[i] = wanted[i, tile]
                    if alive[i]:
                        sums[i] = 0
                        prepare(out[i], totals[i])
                sweep_tile(terms, pieces, panels, panel, inside, alive[:rows], sums, totals)
                for shift in range(0, count, group):
                    stop = min(shift + group, count)
                    doubts = 0
                    for i in range(rows):
                        if alive[i] and not is_in_doubt(sums[i], totals[i], shift, stop, inside, behind):
                            settle(sums[i], totals[i], shift, out[i, shift:stop], peak[i, shift:stop])
                        elif wanted[i, tile]:
                            doubtful[doubts] = i
                            doubts += 1
                    if doubts:
                        recount_group(
                            terms,
                            pieces,
                            panels,
                            panel,
                            shift,
                            doubtful[:doubts],
                            psum,
                            accumulator,
                            edges,
                            state,
                            out[:, shift:stop],
                            over[:, shift:stop],
                            peak[:, shift:stop],
                        )
                        for i in doubtful[:doubts]:
                            finish(state[i], sums[i], shift, psum, over[i, shift:stop], peak[i, shift:stop])
