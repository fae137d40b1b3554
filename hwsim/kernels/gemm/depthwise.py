"""Depthwise convolution without windows: the compiled loop over pixels around ``taps``; weights packed for it.

Bytes are multiplied as uint8, int16 as they are; what the zero point takes off returns as a sum of the weights.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.kernels.gemm.finish import finish_block
from hwsim.kernels.gemm.route import AVX2, PORTABLE_WORDS
from hwsim.kernels.gemm.taps import CHANNELS, HIGH, LOW, multiply_taps


def tap_panels(w: np.ndarray) -> np.ndarray:
    """Return weights ``[taps, channels]`` of int16 range as ``taps_function`` reads them, int32 and flat."""
    taps, channels = w.shape
    pairs, blocks = -(-taps // 2), -(-channels // CHANNELS)
    padded = np.zeros((2 * pairs, blocks * CHANNELS), np.int16)
    padded[:taps, :channels] = w
    ordered = padded.reshape(pairs, 2, blocks, CHANNELS)[..., [*LOW, *HIGH]]
    return np.ascontiguousarray(ordered.transpose(0, 2, 3, 1)).reshape(-1).view(np.int32)


@kernel
def _place_taps(source: Any, image: Any, out_row: Any, out_column: Any, base: Any, pad: Any, size: Any, to: Any) -> Any:
    """Write the address of every tap's channels; return whether all taps are inside the map."""
    top, left = out_row * source.stride_h - source.pad_top, out_column * source.stride_w - source.pad_left
    is_inside, t = True, 0
    for tap_row in range(source.kernel_h):
        row = top + tap_row * source.dilation_h
        for tap_column in range(source.kernel_w):
            column = left + tap_column * source.dilation_w
            if row < 0 or row >= source.height or column < 0 or column >= source.width:
                to[t], is_inside = pad, False
            else:
                element = image * source.image_step + row * source.row_step + column * source.column_step
                to[t] = base + element * size
            t += 1
    return is_inside


@numba.njit(inline="always")
def _depthwise(
    route: Any,
    codes: Any,
    source: Any,
    pad_codes: Any,
    panels: Any,
    columns: Any,
    n: Any,
    block_rows: Any,
    add: Any,
    finish: Any,
    float32_tables: Any,
    fixed_tables: Any,
    out_codes: Any,
    out_sums: Any,
    counts: Any,
) -> None:
    pairs, size = (source.kernel_h * source.kernel_w + 1) // 2, codes.itemsize
    flip = codes.dtype.type(source.flip)
    base, pad = codes.ctypes.data, pad_codes.ctypes.data
    addresses = np.full(2 * pairs, pad, np.int64)
    taps, step = source.kernel_h * source.kernel_w, source.stride_w * source.column_step * size
    sums = np.empty(block_rows * columns, np.int32)
    last = (source.width - 1 + source.pad_left - (source.kernel_w - 1) * source.dilation_w) // source.stride_w
    image, out_row, out_column, is_inside = 0, 0, 0, False
    for first in range(0, source.rows, block_rows):
        rows = min(block_rows, source.rows - first)
        for i in range(rows):
            if is_inside and 0 < out_column <= last:
                for t in range(taps):
                    addresses[t] += step
            else:
                is_inside = _place_taps(source, image, out_row, out_column, base, pad, size, addresses)
            multiply_taps(route, flip, addresses, pairs, panels, columns, sums, i * columns)
            out_column += 1
            if out_column == source.out_w:
                out_column, out_row, is_inside = 0, out_row + 1, False
                if out_row == source.out_h:
                    out_row, image = 0, image + 1
        finish_block(
            sums,
            columns,
            rows,
            n,
            add,
            0,
            finish,
            float32_tables,
            fixed_tables,
            out_codes,
            out_sums,
            first * n,
            n,
            counts,
        )


@kernel
def _avx2(
    c: Any, s: Any, q: Any, p: Any, w: Any, n: Any, r: Any, a: Any, f: Any, x: Any, y: Any, oc: Any, os: Any, t: Any
) -> None:
    _depthwise(AVX2, c, s, q, p, w, n, r, a, f, x, y, oc, os, t)


@kernel
def _words(
    c: Any, s: Any, q: Any, p: Any, w: Any, n: Any, r: Any, a: Any, f: Any, x: Any, y: Any, oc: Any, os: Any, t: Any
) -> None:
    _depthwise(PORTABLE_WORDS, c, s, q, p, w, n, r, a, f, x, y, oc, os, t)


DEPTHWISE_DRIVERS = {"avx2": _avx2, "portable_words": _words}
