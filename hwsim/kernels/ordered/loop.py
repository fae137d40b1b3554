"""Every register followed addition by addition, for rows of neighbouring outputs: over groups, rows, tiles of columns, folds."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.kernels.ordered.picks import Terms, pick_rows
from hwsim.kernels.ordered.registers import finish, recount_tile

ROWS = 32  # rows of the activations that share one walk over the weights


@kernel
def _sizes(panels: Any, sizes: Any) -> None:
    """Write the largest magnitude of every row of every panel, ``[panels, k]``."""
    for panel in range(len(panels)):
        for k in range(panels.shape[1]):
            row = panels[panel, k]
            largest = sizes.dtype.type(0)
            for j in range(len(row)):
                largest = max(largest, sizes.dtype.type(abs(row[j])))
            sizes[panel, k] = largest


@kernel
def follow_tiles(
    a: Any,
    panels: Any,
    pieces: Any,
    tree: Any,
    psum: Any,
    accumulator: Any,
    todo: Any,
    values: Any,
    events: Any,
    peaks: Any,
    tops: Any,
    state: Any,
    sizes: Any,
) -> Any:
    """Accumulate ``a @ w`` in order for the tiles of columns in which any output is to be done, in place;
    return the largest magnitude found.

    Args:
        a: lanes ``[groups, m, k]``.
        panels: lanes ``[groups * tiles, k, tile]``: the weights in tiles of columns, the last of each group filled with zeros.
        pieces: int64 ``[p, 2]``: where each piece of k ends, whether it ends its fold.
        tree: products that are summed exactly before each addition.
        psum: int64 ``[mode, low, high, skip_zeros, lift]``; a zero product is no event, save in an exact register that is
            over; with a lift, see ``recount``, or -1.
        accumulator: the same of the accumulator.
        todo: bool ``[groups, m, n]``; the other outputs of a tile are written, too, where they cost nothing.
        values: int64 ``[groups, m, n]``, holds the start values, receives the sums.
        events: int64 of the same shape, receives the overflow counts.
        peaks: int64 of the same shape, receives magnitudes that registers saw.
        tops: int64 of the same shape. No output saw a larger magnitude than its own here or the one returned. Larger ones
            than that are left where 16 bits did not overflow.
        state: lanes ``[ROWS, 4, tile]``, scratch.
        sizes: int32 or int64 ``[groups * tiles, k]``, scratch; its type holds products.
    """
    groups, m, k = a.shape
    lanes, n = panels.shape[2], values.shape[2]
    edges = psum[1:3].astype(state.dtype)
    terms = Terms(
        np.empty((ROWS, k), a.dtype),
        np.empty((ROWS, k), np.int32),
        np.empty((ROWS, k + 1 if tree > 1 else 0), np.int32),
        np.empty((ROWS, len(pieces) + 1), np.int64),
    )
    wanted = np.empty(ROWS, np.int64)
    best = np.int64(0)
    _sizes(panels, sizes)
    for g in range(groups):
        for top in range(0, m, ROWS):
            rows = min(ROWS, m - top)
            if not todo[g, top : top + rows].any():
                continue
            pick_rows(a[g, top : top + rows], pieces, tree, psum[3] != 0, terms)
            for tile in range(-(-n // lanes)):
                begin, end = tile * lanes, min((tile + 1) * lanes, n)
                count = 0
                for i in range(rows):
                    wanted[count] = i
                    count += todo[g, top + i, begin:end].any()
                if not count:
                    continue
                out = values[g, top : top + rows, begin:end]
                over = events[g, top : top + rows, begin:end]
                low = peaks[g, top : top + rows, begin:end]
                high = tops[g, top : top + rows, begin:end]
                panel = g * -(-n // lanes) + tile
                recount_tile(
                    a[g, top : top + rows],
                    terms,
                    pieces,
                    panels,
                    panel,
                    sizes[panel],
                    wanted[:count],
                    psum,
                    accumulator,
                    edges,
                    state,
                    out,
                    over,
                    low,
                    best,
                )
                for i in wanted[:count]:
                    best = finish(state[i], psum, todo[g, top + i, begin:end], over[i], low[i], high[i], best)
    return best
