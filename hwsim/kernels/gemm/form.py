"""The shape of one product as a row of integers, and its constants per column as two tables.

To hand a named tuple to compiled code takes microseconds, an array a tenth of one. So all that a driver reads beside codes
and weights is in three arrays, made once per shape of the activations, which become named tuples again inside.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba.np.unsafe import ndarray

from hwsim.kernels.cache import kernel
from hwsim.kernels.gemm.finish import Finish
from hwsim.kernels.gemm.gather import Source


class Blocks(NamedTuple):
    """The shape of the product and of its blocks, in elements or 32-bit words.

    Args:
        groups: independent products.
        n: columns of each.
        columns: ``n`` rounded up to whole tiles.
        k: operands along k.
        words: words along k.
        tile_rows: rows of a tile.
        tile_columns: columns of a tile.
        block_rows: rows of a block, whole tiles.
        block_columns: columns of a block, whole tiles.
        block_words: most words along k at a time.
        row_words: words from row to row of the gathered block.
        out_group: output elements from group to group.
        out_row: output elements from row to row.
        has_offsets: whether the sums of the activations count: ``+ offsets[j] * sum_k a[i, k]``.
    """

    groups: int
    n: int
    columns: int
    k: int
    words: int
    tile_rows: int
    tile_columns: int
    block_rows: int
    block_columns: int
    block_words: int
    row_words: int
    out_group: int
    out_row: int
    has_offsets: int


to_fixed_tuple: Any = ndarray.to_fixed_tuple
SOURCE_FIELDS, BLOCKS_FIELDS, FINISH_FIELDS = (len(part._fields) for part in (Source, Blocks, Finish))
BLOCKS_END = SOURCE_FIELDS + BLOCKS_FIELDS


def form_of(source: Source, blocks: Blocks, finish: Finish) -> np.ndarray:
    """Return the three as one int64 array."""
    return np.array([*source, *blocks, *finish], np.int64)


@kernel
def parts_of(form: Any) -> Any:
    """Return the ``Source``, the ``Blocks`` and the ``Finish`` of a form."""
    source = Source(*to_fixed_tuple(form[:SOURCE_FIELDS], SOURCE_FIELDS))
    blocks = Blocks(*to_fixed_tuple(form[SOURCE_FIELDS:BLOCKS_END], BLOCKS_FIELDS))
    return source, blocks, Finish(*to_fixed_tuple(form[BLOCKS_END:], FINISH_FIELDS))
