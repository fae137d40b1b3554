"""The checkpointed pass: exact sums at the speed of a matrix product, and a bound on everything that a register saw.

Chunk by chunk of k, see ``hwsim.kernels.ordered.chunk`` for the bound. Until its first overflow a register holds the exact sum;
so an output whose bounds never leave its registers had no overflow, its value is the exact sum, and no order of addition
matters to it. The others are in doubt.

``sums`` follow one register from chunk to chunk. Where that is psum, each fold ends with an addition to the accumulator, which is
seen itself. Where psum is bounded by other means, ``sums`` are the accumulator from the first product to the last: what
it holds between folds are some of the sums that the bound covers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.kernels.gemm.route import PORTABLE_WORDS, ROUTES
from hwsim.kernels.ordered.chunk import advance_chunk

BLOCK_ROWS = 48  # of activations that share one walk over the weights; a multiple of every route's tile
GIVE_UP_SHARE = 0.4  # of a block's outputs in doubt, from which on following every register at once is faster
IN_DOUBT, LEFT_OUT = -2, -1  # in place of a bound


@kernel
def _fetch(outputs: Any, top: Any, left: Any, columns: Any, lanes: Any) -> None:
    """Write a tile of ``outputs [m, n]`` from row ``top`` and column ``left`` on into ``lanes``, zeros beside the outputs."""
    lanes[:] = 0
    right = min(left + columns, outputs.shape[1])
    for i in range(top, min(top + len(lanes) // columns, len(outputs))):
        row, to = outputs[i, left:right], lanes[(i - top) * columns :]
        for j in range(len(row)):
            to[j] = row[j]


@kernel
def _write(lanes: Any, top: Any, left: Any, columns: Any, outputs: Any) -> None:
    """Write a tile back into ``outputs [m, n]``."""
    right = min(left + columns, outputs.shape[1])
    for i in range(top, min(top + len(lanes) // columns, len(outputs))):
        row, source = outputs[i, left:right], lanes[(i - top) * columns :]
        for j in range(len(row)):
            row[j] = source[j]


@kernel
def _deposit(partial: Any, totals: Any, largest: Any) -> None:
    """Add the sums to the totals, follow the magnitudes of those, and start at zero again."""
    for j in range(len(partial)):
        totals[j] += partial[j]
        largest[j] = max(largest[j], abs(totals[j]))
        partial[j] = 0


@kernel
def _judge(reaches: Any, largest: Any, limits: Any, wanted: Any, best: Any) -> Any:
    """Turn ``reaches`` into bounds; return how many outputs are in doubt, and the largest magnitude seen of the others."""
    lane = reaches.dtype.type
    reach_limit, limit, none, doubtful, left_out = limits[0], limits[1], lane(0), lane(IN_DOUBT), lane(LEFT_OUT)
    in_doubt, seen = none, none
    for j in range(len(reaches)):
        is_in_doubt = (reaches[j] > reach_limit) | (largest[j] > limit)
        bound = doubtful if is_in_doubt else max(reaches[j] >> 1, largest[j])
        in_doubt += lane(is_in_doubt)
        reaches[j] = bound if wanted[j] != 0 else left_out
        seen = max(seen, largest[j] if reaches[j] >= 0 else none)
    return in_doubt, max(best, seen)


def _pass(route: int) -> Any:
    tile_rows, columns = ROUTES[route].rows, ROUTES[route].columns

    @kernel
    def checkpointed(
        a: Any, w: Any, a_norms: Any, w_norms: Any, places: Any, is_end: Any, limits: Any, wanted: Any, start: Any,
        spread: Any, follows_psum: Any, todo: Any, values: Any, tops: Any,
    ) -> Any:  # fmt: skip
        """Sum one product of matrices; return how many rows were finished before too many outputs were in doubt, and the
        largest magnitude known to have been held.

        Args:
            a: int32 ``[rows, words]``; rows are whole tiles of the route.
            w: int32 ``[tiles, words, columns]``.
            a_norms: int32 ``[rows, chunks]``.
            w_norms: int32 ``[tiles, chunks, columns]``.
            places: int64 ``[chunks + 1]``, where the words of each chunk begin.
            is_end: bool ``[chunks]``, whether the sums go to the totals behind a chunk and start again at zero.
            limits: lanes ``[2]``, of twice the sums on the way and of the totals: an output beyond one of them is in doubt.
            wanted: bool ``[blocks, tiles]``; the other outputs are left as they are.
            start: int64 ``[m, n]``, of the accumulators; empty for zeros.
            spread: lanes ``[m, n]``, a bound on other sums of each output; empty without.
            follows_psum: whether sums are psum and the accumulators are totals; else sums are the accumulators.
            todo: bool ``[m, n]``; the others are left out; empty for all.
            values: int64 ``[m, n]``, written: the accumulators at the end.
            tops: lanes of 32 or 64 bits ``[m, n]``, ``LEFT_OUT`` at first, written: bounds on the magnitudes on the way, or
                ``IN_DOUBT`` or ``LEFT_OUT``.
        """
        m, size, lane = len(values), BLOCK_ROWS * columns, tops.dtype.type
        sums, reaches, totals = np.empty(size, tops.dtype), np.empty(size, tops.dtype), np.empty(size, tops.dtype)
        largest, others, asked = np.empty(size, tops.dtype), np.zeros(size, tops.dtype), np.ones(size, tops.dtype)
        best = lane(0)
        for top in range(0, m, BLOCK_ROWS):
            in_doubt, outputs, seen = 0, 0, best
            bottom = min(top + BLOCK_ROWS, len(a))
            for tile in range(len(w)):
                if not wanted[top // BLOCK_ROWS, tile]:
                    continue
                left = tile * columns
                if follows_psum:
                    sums[:] = 0
                    reaches[:] = 0
                    _fetch(start, top, left, columns, totals)
                    np.abs(totals, largest)
                else:
                    _fetch(start, top, left, columns, sums)
                    np.abs(sums, reaches)
                    reaches *= 2
                for c in range(len(is_end)):
                    words = places[c + 1] - places[c]
                    panel = (tile * w.shape[1] + places[c]) * columns
                    for row in range(top, bottom, tile_rows):
                        advance_chunk(
                            route, a, row * a.shape[1] + places[c], w, panel, words, a_norms, row, c, w_norms, tile,
                            sums, reaches, (row - top) * columns,
                        )  # fmt: skip
                    if is_end[c]:
                        _deposit(sums, totals, largest)
                if not follows_psum:
                    np.abs(sums, largest)
                if len(todo):
                    _fetch(todo, top, left, columns, asked)
                doubts, seen = _judge(reaches, largest, limits, asked, seen)
                in_doubt += doubts
                outputs += (bottom - top) * columns
                if len(spread):
                    _fetch(spread, top, left, columns, others)
                    for j in range(size):
                        reaches[j] = max(reaches[j], others[j]) if reaches[j] >= 0 else reaches[j]
                _write(totals if follows_psum else sums, top, left, columns, values)
                _write(reaches, top, left, columns, tops)
            if in_doubt > GIVE_UP_SHARE * outputs:
                return top, best
            best = seen
        return m, best

    return checkpointed


NATIVE = next(
    (
        index
        for index, route in enumerate(ROUTES)
        if route.word is np.int16 and route.is_automatic and route.is_runnable
    ),
    PORTABLE_WORDS,
)
PASSES = {index: _pass(index) for index in {NATIVE, PORTABLE_WORDS}}
