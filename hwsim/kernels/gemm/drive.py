"""One product from codes to sums or codes, in blocks that stay in the cache; a compiled driver per route.

For every group and block of rows: gather the activations into packed words, multiply them with all panels of weights, and
finish the block (store the sums, or requantize them). A driver names one route only, so that a processor compiles nothing
that it cannot run.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.kernels.gemm.codes import OFFSETS
from hwsim.kernels.gemm.finish import add_offsets, finish_block
from hwsim.kernels.gemm.form import parts_of
from hwsim.kernels.gemm.gather import gather, row_sums
from hwsim.kernels.gemm.route import AVX2, AVX2_BYTES, AVX512, AVX_VNNI, PORTABLE_BYTES, PORTABLE_WORDS, VNNI
from hwsim.kernels.gemm.runs import RUN
from hwsim.kernels.gemm.tile import multiply_tile


@numba.njit(inline="always")
def _drive(
    route: Any,
    word: Any,
    codes: Any,
    form: Any,
    panels: Any,
    short: Any,
    table32: Any,
    table64: Any,
    out_codes: Any,
    out_sums: Any,
    counts: Any,
) -> None:
    source, blocks, finish = parts_of(form)
    length = blocks.groups * blocks.columns
    offsets = table32[OFFSETS * length :]
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
                        pair = panel // (2 * blocks.tile_columns)
                        for row in range(0, rows, blocks.tile_rows):
                            multiply_tile(
                                route,
                                a,
                                row * blocks.row_words + k,
                                blocks.row_words,
                                panels,
                                panel,
                                short,
                                pair,
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
                    table32,
                    table64,
                    length,
                    table,
                    finish,
                    out_codes,
                    out_sums,
                    out,
                    blocks.out_row,
                    counts,
                )


@kernel
def _vnni(
    codes: Any, form: Any, panels: Any, short: Any, t32: Any, t64: Any, out_codes: Any, out_sums: Any, counts: Any
) -> None:
    _drive(VNNI, np.uint8, codes, form, panels, short, t32, t64, out_codes, out_sums, counts)


@kernel
def _avx_vnni(
    codes: Any, form: Any, panels: Any, short: Any, t32: Any, t64: Any, out_codes: Any, out_sums: Any, counts: Any
) -> None:
    _drive(AVX_VNNI, np.uint8, codes, form, panels, short, t32, t64, out_codes, out_sums, counts)


@kernel
def _avx512(
    codes: Any, form: Any, panels: Any, short: Any, t32: Any, t64: Any, out_codes: Any, out_sums: Any, counts: Any
) -> None:
    _drive(AVX512, np.int16, codes, form, panels, short, t32, t64, out_codes, out_sums, counts)


@kernel
def _avx2_bytes(
    codes: Any, form: Any, panels: Any, short: Any, t32: Any, t64: Any, out_codes: Any, out_sums: Any, counts: Any
) -> None:
    _drive(AVX2_BYTES, np.uint8, codes, form, panels, short, t32, t64, out_codes, out_sums, counts)


@kernel
def _avx2(
    codes: Any, form: Any, panels: Any, short: Any, t32: Any, t64: Any, out_codes: Any, out_sums: Any, counts: Any
) -> None:
    _drive(AVX2, np.int16, codes, form, panels, short, t32, t64, out_codes, out_sums, counts)


@kernel
def _words(
    codes: Any, form: Any, panels: Any, short: Any, t32: Any, t64: Any, out_codes: Any, out_sums: Any, counts: Any
) -> None:
    _drive(PORTABLE_WORDS, np.int16, codes, form, panels, short, t32, t64, out_codes, out_sums, counts)


@kernel
def _bytes(
    codes: Any, form: Any, panels: Any, short: Any, t32: Any, t64: Any, out_codes: Any, out_sums: Any, counts: Any
) -> None:
    _drive(PORTABLE_BYTES, np.uint8, codes, form, panels, short, t32, t64, out_codes, out_sums, counts)


DRIVERS = {
    "vnni": _vnni,
    "avx_vnni": _avx_vnni,
    "avx512": _avx512,
    "avx2_bytes": _avx2_bytes,
    "avx2": _avx2,
    "portable_words": _words,
    "portable_bytes": _bytes,
}
