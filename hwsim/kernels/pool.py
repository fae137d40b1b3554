"""Pooling on integers. Sums are separable: first along height, then along width."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.kernels.layout import CHANNELS_FIRST, CHANNELS_LAST, flat
from hwsim.kernels.window_loops import Pooling, form_of, largest
from hwsim.kernels.windows import check_feature_map, tap_slices, valid_counts


def _sums_along(
    x: np.ndarray, axis: int, kernel: int, stride: int, dilation: int, pad: int, outputs: int
) -> np.ndarray:
    """Return the sums of windows along one axis."""
    shape = list(x.shape)
    shape[axis] = outputs
    out = np.zeros_like(x, shape=shape)
    target, source = np.moveaxis(out, axis, 0), np.moveaxis(x, axis, 0)
    for tap in range(kernel):
        to, origin = tap_slices(tap, x.shape[axis], stride, dilation, pad, outputs)
        target[to] += source[origin]
    return out


def max_pool(
    x: np.ndarray,
    kernel: tuple[int, int],
    strides: tuple[int, int],
    dilations: tuple[int, int],
    pads: tuple[int, int, int, int],
    out_h: int,
    out_w: int,
) -> np.ndarray:
    """Return the largest code of each window, ``[batch, channels, out_h, out_w]`` of the same dtype.

    Padding is never the largest: a window that leaves the input is cut there (also beyond the padding, ``ceil_mode``).

    Args:
        x: integers ``[batch, channels, height, width]``.
        kernel: height and width.
        strides: along height and width.
        dilations: along height and width.
        pads: top, left, bottom, right.
        out_h: output rows.
        out_w: output columns.

    Raises:
        ExecutionError: a window that holds no input at all.
    """
    check_feature_map("max_pool", x.shape, x.dtype)
    _counts("max_pool", x, kernel, strides, dilations, pads, out_h, out_w, include_pad=False)
    batch, channels, height, width = x.shape
    shape = Pooling(batch, height, width, channels, out_h, out_w, *kernel, *strides, *dilations, *pads[:2])
    lowest = np.iinfo(x.dtype).min
    return pooled(x, (out_h, out_w), lambda codes, out: largest(codes, form_of(shape), lowest, out))


def pooled(x: np.ndarray, size: tuple[int, ...], run: Callable[[np.ndarray, np.ndarray], None]) -> np.ndarray:
    """Return ``[batch, channels, *size]`` of the type of ``x``, its channels innermost in memory.

    Args:
        x: integers ``[batch, channels, height, width]``.
        size: height and width of the result.
        run: writes the result, given the elements of ``x`` and its own, both flat with channels innermost.
    """
    codes = flat(x, CHANNELS_LAST)
    codes.flags.writeable = False  # arrays that can be written are a type of their own to numba
    out = np.empty((x.shape[0], *size, x.shape[1]), x.dtype)
    run(codes, out.reshape(-1))
    return out.transpose(CHANNELS_FIRST)


def sum_pool(
    x: np.ndarray,
    kernel: tuple[int, int],
    strides: tuple[int, int],
    dilations: tuple[int, int],
    pads: tuple[int, int, int, int],
    out_h: int,
    out_w: int,
    *,
    zero_point: int = 0,
    include_pad: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum of the centred codes of each window, and by how many elements to divide it.

    Args:
        x: integers ``[batch, channels, height, width]``, up to 32 bits.
        kernel: height and width.
        strides: along height and width.
        dilations: along height and width.
        pads: top, left, bottom, right.
        out_h: output rows.
        out_w: output columns.
        zero_point: subtracted from every code; padding is real 0 and adds nothing.
        include_pad: ONNX ``count_include_pad``; what lies beyond the padding (``ceil_mode``) never counts.

    Returns:
        int64 ``[batch, channels, out_h, out_w]`` and int64 ``[out_h, out_w]``.

    Raises:
        ExecutionError: a window that holds no input at all.
    """
    check_feature_map("sum_pool", x.shape, x.dtype)
    valid = _counts("sum_pool", x, kernel, strides, dilations, pads, out_h, out_w, include_pad=False)
    rows = _sums_along(x.astype(np.int64), 2, kernel[0], strides[0], dilations[0], pads[0], out_h)
    sums = _sums_along(rows, 3, kernel[1], strides[1], dilations[1], pads[1], out_w)
    if zero_point:
        sums -= zero_point * valid
    if include_pad:
        return sums, _counts("sum_pool", x, kernel, strides, dilations, pads, out_h, out_w, include_pad=True)
    return sums, valid


def _counts(
    name: str,
    x: np.ndarray,
    kernel: tuple[int, int],
    strides: tuple[int, int],
    dilations: tuple[int, int],
    pads: tuple[int, int, int, int],
    out_h: int,
    out_w: int,
    *,
    include_pad: bool,
) -> np.ndarray:
    top, left, bottom, right = pads
    rows = valid_counts(x.shape[2], kernel[0], strides[0], dilations[0], (top, bottom), out_h, include_pad)
    columns = valid_counts(x.shape[3], kernel[1], strides[1], dilations[1], (left, right), out_w, include_pad)
    counts = rows[:, None] * columns[None, :]
    if not counts.all():
        raise ExecutionError(
            f"{name}: a window of kernel {kernel}, strides {strides}, pads {pads} holds no element of the "
            f"{x.shape[2]}x{x.shape[3]} input; the output size {out_h}x{out_w} is too large"
        )
    return counts
