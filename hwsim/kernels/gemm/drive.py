"""One product from codes to sums or codes, in blocks that stay in the cache; a compiled driver per route.

For every group and block of rows: gather the activations into packed words, multiply them with all panels of weights, and
finish the block (store the sums, or requantize them). A driver names one route only, so that a processor compiles nothing
that it cannot run.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.kernels.gemm.finish import add_offsets, finish_block
from hwsim.kernels.gemm.gather import gather, row_sums
from hwsim.kernels.gemm.route import AVX2, AVX2_BYTES, AVX512, AVX_VNNI, PORTABLE_BYTES, PORTABLE_WORDS, VNNI
from hwsim.kernels.gemm.runs import RUN
from hwsim.kernels.gemm.tile import multiply_tile


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
    has_offsets: bool


@numba.njit(inline="always")
def _drive(
    route: Any,
    word: Any,
    codes: Any,
    source: Any,
    panels: Any,
    blocks: Any,
    add: Any,
    offsets: Any,
    finish: Any,
    float32_tables: Any,
    fixed_tables: Any,
    out_codes: Any,
    out_sums: Any,
    counts: Any,
) -> None:
    a = np.empty(blocks.block_rows * blocks.row_words + RUN, np.int32)
    block = a.view(word)
    row_elements = blocks.row_words * (len(block) // len(a))
    sums = np.empty(blocks.block_rows * blocks.block_columns, np.int32)
    totals = np.empty(blocks.block_rows, np.int32)
    for group in range(blocks.groups):
        for first in range(0, source.rows, blocks.block_rows):
            rows = min(blocks.block_rows, source.rows - first)
            gather(codes, source, group, first, rows, block, row_elements)
            if blocks.has_offsets:
                row_sums(block, row_elements, rows, blocks.k, totals)
            for left in range(0, blocks.columns, blocks.block_columns):
                padded = min(blocks.block_columns, blocks.columns - left)
                width = min(padded, blocks.n - left)
                for k in range(0, blocks.words, blocks.block_words):
                    words = min(blocks.block_words, blocks.words - k)
                    for column in range(left, left + padded, blocks.tile_columns):
                        panel = (group * blocks.columns + column) * blocks.words + k * blocks.tile_columns
                        for row in range(0, rows, blocks.tile_rows):
                            multiply_tile(
                                route,
                                a,
                                row * blocks.row_words + k,
                                blocks.row_words,
                                panels,
                                panel,
                                words,
                                sums,
                                row * blocks.block_columns + column - left,
                                blocks.block_columns,
                                k > 0,
                            )
                table = group * blocks.columns + left
                if blocks.has_offsets:
                    add_offsets(sums, blocks.block_columns, rows, width, totals, offsets[table : table + width])
                out = group * blocks.out_group + first * blocks.out_row + left
                finish_block(
                    sums,
                    blocks.block_columns,
                    rows,
                    width,
                    add,
                    table,
                    finish,
                    float32_tables,
                    fixed_tables,
                    out_codes,
                    out_sums,
                    out,
                    blocks.out_row,
                    counts,
                )


@kernel
def _vnni(c: Any, s: Any, p: Any, b: Any, a: Any, o: Any, f: Any, x: Any, y: Any, oc: Any, os: Any, n: Any) -> None:
    _drive(VNNI, np.uint8, c, s, p, b, a, o, f, x, y, oc, os, n)


@kernel
def _avx_vnni(c: Any, s: Any, p: Any, b: Any, a: Any, o: Any, f: Any, x: Any, y: Any, oc: Any, os: Any, n: Any) -> None:
    _drive(AVX_VNNI, np.uint8, c, s, p, b, a, o, f, x, y, oc, os, n)


@kernel
def _avx512(c: Any, s: Any, p: Any, b: Any, a: Any, o: Any, f: Any, x: Any, y: Any, oc: Any, os: Any, n: Any) -> None:
    _drive(AVX512, np.int16, c, s, p, b, a, o, f, x, y, oc, os, n)


@kernel
def _avx2_bytes(
    c: Any, s: Any, p: Any, b: Any, a: Any, o: Any, f: Any, x: Any, y: Any, oc: Any, os: Any, n: Any
) -> None:
    _drive(AVX2_BYTES, np.uint8, c, s, p, b, a, o, f, x, y, oc, os, n)


@kernel
def _avx2(c: Any, s: Any, p: Any, b: Any, a: Any, o: Any, f: Any, x: Any, y: Any, oc: Any, os: Any, n: Any) -> None:
    _drive(AVX2, np.int16, c, s, p, b, a, o, f, x, y, oc, os, n)


@kernel
def _words(c: Any, s: Any, p: Any, b: Any, a: Any, o: Any, f: Any, x: Any, y: Any, oc: Any, os: Any, n: Any) -> None:
    _drive(PORTABLE_WORDS, np.int16, c, s, p, b, a, o, f, x, y, oc, os, n)


@kernel
def _bytes(c: Any, s: Any, p: Any, b: Any, a: Any, o: Any, f: Any, x: Any, y: Any, oc: Any, os: Any, n: Any) -> None:
    _drive(PORTABLE_BYTES, np.uint8, c, s, p, b, a, o, f, x, y, oc, os, n)


DRIVERS = {
    "vnni": _vnni,
    "avx_vnni": _avx_vnni,
    "avx512": _avx512,
    "avx2_bytes": _avx2_bytes,
    "avx2": _avx2,
    "portable_words": _words,
    "portable_bytes": _bytes,
}
