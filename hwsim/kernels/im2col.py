"""The windows of a convolution as rows of a matrix."""

from __future__ import annotations

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.kernels.windows import check_feature_map, tap_slices


def im2col(
    x: np.ndarray,
    kernel: tuple[int, int],
    strides: tuple[int, int],
    dilations: tuple[int, int],
    pads: tuple[int, int, int, int],
    pad_value: int,
    out_h: int,
    out_w: int,
) -> np.ndarray:
    """Return the windows of ``x`` as ``[batch * out_h * out_w, channels * kernel_h * kernel_w]``, of the same dtype.

    Columns are in ONNX weight order (channel, kernel row, kernel column). The array is stored column by column (Fortran
    order): every tap is one strided copy, and BLAS reads either order.

    Args:
        x: integers ``[batch, channels, height, width]``.
        kernel: height and width.
        strides: along height and width.
        dilations: along height and width.
        pads: top, left, bottom, right, as in ONNX; a window that leaves the padded input reads ``pad_value`` there.
        pad_value: the code of real 0.
        out_h: output rows.
        out_w: output columns.

    Raises:
        ExecutionError: ``x`` is not of four dimensions, or its type cannot hold ``pad_value``.
    """
    check_feature_map("im2col", x.shape, x.dtype)
    info = np.iinfo(x.dtype)
    if not info.min <= pad_value <= info.max:
        raise ExecutionError(f"im2col: {x.dtype} codes cannot hold the padding value {pad_value}")
    batch, channels, height, width = x.shape
    if kernel == (1, 1) and strides == (1, 1) and not any(pads) and (out_h, out_w) == (height, width):
        return np.ascontiguousarray(x.transpose(1, 0, 2, 3)).reshape(channels, batch * height * width).T
    columns = np.empty((channels, *kernel, batch, out_h, out_w), x.dtype)
    planes = x.transpose(1, 0, 2, 3)
    for row in range(kernel[0]):
        to_rows, from_rows = tap_slices(row, height, strides[0], dilations[0], pads[0], out_h)
        for column in range(kernel[1]):
            to_columns, from_columns = tap_slices(column, width, strides[1], dilations[1], pads[1], out_w)
            tap = columns[:, row, column]
            if to_rows != slice(0, out_h) or to_columns != slice(0, out_w):
                tap[...] = pad_value
            tap[:, :, to_rows, to_columns] = planes[:, :, from_rows, from_columns]
    return columns.reshape(channels * kernel[0] * kernel[1], batch * out_h * out_w).T
