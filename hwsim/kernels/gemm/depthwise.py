"""Depthwise convolution without windows: the compiled loop over pixels around ``taps``; weights packed for it.

Bytes are multiplied as uint8, int16 as they are; what the zero point takes off returns as a sum of the weights.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.kernels.gemm.finish import finish_block
from hwsim.kernels.gemm.form import parts_of
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
def _place_taps(
    source: Any, image: Any, out_row: Any, out_column: Any, base: Any, spare: Any, tail: Any, to: Any
) -> Any:
    """Write the address of every tap's channels; return whether it is that of a tap inside the map, for all of them.

    Args:
        source: a ``Source``.
        image: of the output.
        out_row: of the output.
        out_column: of the output.
        base: address of the codes, and bytes of each.
        spare: addresses of the channels of padding, and of a copy of the codes from element ``tail`` on.
        tail: vectors of channels that begin behind this element would reach beyond the codes.
        to: int64, written.
    """
    top, left = out_row * source.stride_h - source.pad_top, out_column * source.stride_w - source.pad_left
    is_inside, t = True, 0
    for tap_row in range(source.kernel_h):
        row = top + tap_row * source.dilation_h
        for tap_column in range(source.kernel_w):
            column = left + tap_column * source.dilation_w
            element = image * source.image_step + row * source.row_step + column * source.column_step
            if row < 0 or row >= source.height or column < 0 or column >= source.width:
                to[t], is_inside = spare[0], False
            elif element > tail:
                to[t], is_inside = spare[1] + (element - tail) * base[1], False
            else:
                to[t] = base[0] + element * base[1]
            t += 1
    return is_inside


@numba.njit(inline="always")
def _depthwise(
    route: Any,
    codes: Any,
    form: Any,
    panels: Any,
    table32: Any,
    table64: Any,
    out_codes: Any,
    out_sums: Any,
    counts: Any,
) -> None:
    source, blocks, finish = parts_of(form)
    n, columns, block_rows, size = blocks.n, blocks.columns, blocks.block_rows, codes.itemsize
    taps, step = source.kernel_h * source.kernel_w, source.stride_w * source.column_step * size
    pairs = (taps + 1) // 2
    flip = codes.dtype.type(source.flip)
    # Behind the sums: channels of padding, and the last codes with room for the vectors that begin among them.
    sums = np.empty((block_rows + 3) * columns, np.int32)
    beside, tail = sums[block_rows * columns :].view(codes.dtype), len(codes) - columns
    beside[:columns] = codes.dtype.type(source.pad) ^ flip
    beside[columns + max(-tail, 0) : 2 * columns] = codes[max(tail, 0) :]
    at = sums.ctypes.data + 4 * block_rows * columns
    base, spare = (codes.ctypes.data, size), (at, at + columns * size)
    addresses = np.full(2 * pairs, at, np.int64)
    last = (source.width - 1 + source.pad_left - (source.kernel_w - 1) * source.dilation_w) // source.stride_w
    furthest = base[0] + tail * size - step
    image, out_row, out_column, is_inside = 0, 0, 0, False
    for first in range(0, source.rows, block_rows):
        rows = min(block_rows, source.rows - first)
        for i in range(rows):
            if is_inside and 0 < out_column <= last and addresses[taps - 1] <= furthest:
                for t in range(taps):
                    addresses[t] += step
            else:
                is_inside = _place_taps(source, image, out_row, out_column, base, spare, tail, addresses)
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
            table32,
            table64,
            columns,
            0,
            finish,
            out_codes,
            out_sums,
            first * n,
            n,
            counts,
        )


@kernel
def _avx2(
    codes: Any, form: Any, panels: Any, _: Any, t32: Any, t64: Any, out_codes: Any, out_sums: Any, counts: Any
) -> None:
    _depthwise(AVX2, codes, form, panels, t32, t64, out_codes, out_sums, counts)


@kernel
def _words(
    codes: Any, form: Any, panels: Any, _: Any, t32: Any, t64: Any, out_codes: Any, out_sums: Any, counts: Any
) -> None:
    _depthwise(PORTABLE_WORDS, codes, form, panels, t32, t64, out_codes, out_sums, counts)


DEPTHWISE_DRIVERS = {"avx2": _avx2, "portable_words": _words}
