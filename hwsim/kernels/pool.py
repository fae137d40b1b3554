"""Pooling on integers. Maximum and sum are separable: first along height, then along width."""

from __future__ import annotations

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.kernels.windows import check_feature_map, tap_slices, valid_counts


def _along(
    x: np.ndarray, axis: int, kernel: int, stride: int, dilation: int, pad: int, outputs: int, fill: int, op: np.ufunc
) -> np.ndarray:
    """Reduce windows along one axis with ``op``, starting from ``fill``."""
    shape = list(x.shape)
    shape[axis] = outputs
    out = np.full(shape, fill, x.dtype)
    target, source = np.moveaxis(out, axis, 0), np.moveaxis(x, axis, 0)
    for tap in range(kernel):
        to, origin = tap_slices(tap, x.shape[axis], stride, dilation, pad, outputs)
        op(target[to], source[origin], out=target[to])
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
    check_feature_map("max_pool", x)
    _counts("max_pool", x, kernel, strides, dilations, pads, out_h, out_w, include_pad=False)
    low = int(np.iinfo(x.dtype).min)
    rows = _along(x, 2, kernel[0], strides[0], dilations[0], pads[0], out_h, low, np.maximum)
    return _along(rows, 3, kernel[1], strides[1], dilations[1], pads[1], out_w, low, np.maximum)


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
    check_feature_map("sum_pool", x)
    valid = _counts("sum_pool", x, kernel, strides, dilations, pads, out_h, out_w, include_pad=False)
    rows = _along(x.astype(np.int64), 2, kernel[0], strides[0], dilations[0], pads[0], out_h, 0, np.add)
    sums = _along(rows, 3, kernel[1], strides[1], dilations[1], pads[1], out_w, 0, np.add)
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
