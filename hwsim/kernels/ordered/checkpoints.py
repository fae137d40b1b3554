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


@kernel
def _deposit(partial: Any, totals: Any, largest: Any) -> None:
    """Add the sums to the totals, follow the magnitudes of those, and start at zero again."""
    for j in range(len(partial)):
        totals[j] += partial[j]
        largest[j] = max(largest[j], abs(totals[j]))
        partial[j] = 0


@kernel
def _count_above(values: Any, limit: Any) -> Any:
    count = 0
    for j in range(len(values)):
        count += values[j] > limit
    return count


def _pass(route: int) -> Any:
    tile_rows, columns = ROUTES[route].rows, ROUTES[route].columns

    @kernel
    def checkpointed(
        a: Any, w: Any, a_norms: Any, w_norms: Any, places: Any, is_end: Any, limits: Any, wanted: Any, sums: Any,
        reaches: Any, totals: Any, largest: Any,
    ) -> Any:  # fmt: skip
        """Sum one product of matrices, in place; return how many rows were finished before too many outputs were in doubt.

        Args:
            a: int32 ``[rows, words]``; rows are whole tiles of the route.
            w: int32 ``[tiles, words, columns]``.
            a_norms: int32 ``[rows, chunks]``.
            w_norms: int32 ``[tiles, chunks, columns]``.
            places: int64 ``[chunks + 1]``, where the words of each chunk begin.
            is_end: bool ``[chunks]``, whether the sums go to the totals behind a chunk and start again at zero.
            limits: int64 ``[2]``, of reaches and of largest: an output beyond one of them is in doubt.
            wanted: bool ``[blocks, tiles]``; the other outputs are left as they are.
            sums: int32 or int64 ``[tiles, rows * columns]``; running sums from their start values on.
            reaches: of the same shape: grow to bounds on twice their magnitude.
            totals: of the same shape.
            largest: of the same shape: grows to the largest magnitude of a total.
        """
        rows = len(a)
        for top in range(0, rows, BLOCK_ROWS):
            in_doubt = 0
            outputs = 0
            bottom = min(top + BLOCK_ROWS, rows)
            begin, end = top * columns, bottom * columns
            for tile in range(len(w)):
                if not wanted[top // BLOCK_ROWS, tile]:
                    continue
                outputs += end - begin
                for c in range(len(is_end)):
                    words = places[c + 1] - places[c]
                    panel = (tile * w.shape[1] + places[c]) * columns
                    for row in range(top, bottom, tile_rows):
                        advance_chunk(
                            route, a, row * a.shape[1] + places[c], w, panel, words, a_norms, row, c, w_norms, tile,
                            sums, reaches, tile * sums.shape[1] + row * columns,
                        )  # fmt: skip
                    if is_end[c]:
                        _deposit(sums[tile, begin:end], totals[tile, begin:end], largest[tile, begin:end])
                in_doubt += _count_above(reaches[tile, begin:end], limits[0])
                in_doubt += _count_above(largest[tile, begin:end], limits[1])
            if in_doubt > GIVE_UP_SHARE * outputs:
                return top
        return rows

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
