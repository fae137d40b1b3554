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
    table32: Any,
    table64: Any,
    length: Any,
    at: Any,
    finish: Any,
    out_codes: Any,
    out_sums: Any,
    out: Any,
    out_row: Any,
    counts: Any,
) -> None:
    """Write a block of ``sums`` with what joins them, or its codes.

    Args:
        sums: int32, flat.
        stride: elements from row to row.
        rows: of the block.
        width: columns of the block.
        table32: int32, flat, ``codes.ROWS_32`` rows of constants per column, in whole vectors.
        table64: int64, likewise; empty unless the mode is of fixed point.
        length: of a row of the tables.
        at: the block's first column.
        finish: a ``Finish``.
        out_codes: uint8, flat, written unless the mode is ``SUMS``.
        out_sums: int32, flat, written where it is.
        out: first element written.
        out_row: elements from row to row.
        counts: int64, updated: below, above, smallest, largest.
    """
    if finish.mode == SUMS:
        _store(sums, stride, rows, width, table32[at : at + width], out_sums, out, out_row)
        return
    zero, low, high, to = np.int32(finish.zero), finish.floor, finish.ceiling, out_codes
    if finish.mode == FLOAT32:
        x, y = np.float32(low), np.float32(high)
        finish_float32(sums, stride, rows, width, table32, table64, length, at, x, y, zero, to, out, out_row, counts)
    elif finish.mode == FIXED_POINT:
        finish_fixed_point(
            sums, stride, rows, width, table32, table64, length, at, low, high, zero, to, out, out_row, counts
        )
    else:
        finish_double_rounding(
            sums, stride, rows, width, table32, table64, length, at, low, high, zero, to, out, out_row, counts
        )
