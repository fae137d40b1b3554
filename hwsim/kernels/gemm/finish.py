"""What becomes of a block of sums while it is in the cache: stored, or requantized to codes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.kernels.gemm.codes import finish_double_rounding, finish_fixed_point, finish_float32

SUMS, FLOAT32, FIXED_POINT, DOUBLE_ROUNDING = range(4)


class Finish(NamedTuple):
    """What becomes of the sums.

    Args:
        mode: ``SUMS``, ``FLOAT32``, ``FIXED_POINT`` or ``DOUBLE_ROUNDING``.
        floor: smallest result before ``zero``.
        ceiling: largest result before ``zero``.
        zero: zero point of the output.
    """

    mode: int
    floor: int
    ceiling: int
    zero: int


@kernel
def add_offsets(sums: Any, stride: Any, rows: Any, width: Any, totals: Any, offsets: Any) -> None:
    """Add ``totals[i] * offsets[j]`` to ``sums [rows, width]``, of which rows are ``stride`` apart."""
    for i in range(rows):
        found, total = sums[i * stride : i * stride + width], totals[i]
        for j in range(width):
            found[j] += total * offsets[j]


@kernel
def _store(sums: Any, stride: Any, rows: Any, width: Any, add: Any, out: Any, at: Any, out_row: Any) -> None:
    for i in range(rows):
        found, to = sums[i * stride : i * stride + width], out[at + i * out_row : at + i * out_row + width]
        for j in range(width):
            to[j] = found[j] + add[j]


@kernel
def finish_block(
    sums: Any,
    stride: Any,
    rows: Any,
    width: Any,
    add: Any,
    table: Any,
    finish: Any,
    float32_tables: Any,
    fixed_tables: Any,
    out_codes: Any,
    out_sums: Any,
    out: Any,
    out_row: Any,
    counts: Any,
) -> None:
    """Write a block of ``sums + add``, or its codes.

    Args:
        sums: int32, flat.
        stride: elements from row to row.
        rows: of the block.
        width: columns of the block.
        add: int32 per column, in whole vectors, and behind it as much that the sums hold when they are counted.
        table: the block's first element of ``add`` and of the tables.
        finish: a ``Finish``.
        float32_tables: multipliers.
        fixed_tables: int32 multipliers; int64 shifts and the three offsets of the rounding; int32 left shifts.
        out_codes: uint8, flat, written unless the mode is ``SUMS``.
        out_sums: int32, flat, written where it is.
        out: first element written.
        out_row: elements from row to row.
        counts: int64, updated: below, above, smallest, largest.
    """
    if finish.mode == SUMS:
        _store(sums, stride, rows, width, add[table : table + width], out_sums, out, out_row)
        return
    zero, low, high = np.int32(finish.zero), finish.floor, finish.ceiling
    if finish.mode == FLOAT32:
        least, most = np.float32(low), np.float32(high)
        finish_float32(
            sums, stride, rows, width, add, table, least, most, zero, out_codes, out, out_row, counts, float32_tables
        )
    elif finish.mode == FIXED_POINT:
        finish_fixed_point(
            sums, stride, rows, width, add, table, low, high, zero, out_codes, out, out_row, counts, fixed_tables
        )
    else:
        finish_double_rounding(
            sums, stride, rows, width, add, table, low, high, zero, out_codes, out, out_row, counts, fixed_tables
        )
