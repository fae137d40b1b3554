"""Rows of a matrix, or windows of a feature map, copied into a block of packed activations."""

from __future__ import annotations

from typing import Any, NamedTuple

from hwsim.kernels.cache import kernel
from hwsim.kernels.gemm.runs import copy_run


class Source(NamedTuple):
    """Where activations lie; a matrix is a feature map of height 1 under a 1x1 kernel. Steps in elements.

    Args:
        rows: rows of the product: batch * out_h * out_w.
        out_h: output rows of an image.
        out_w: output columns of an image.
        height: input rows.
        width: input columns.
        channels: neighbours along k under one tap.
        kernel_h: taps along the height.
        kernel_w: taps along the width.
        stride_h: input rows from one output row to the next.
        stride_w: input columns from one output column to the next.
        dilation_h: input rows from tap to tap.
        dilation_w: input columns from tap to tap.
        pad_top: rows of padding above.
        pad_left: columns of padding before.
        first: element of group 0, image 0, row 0, column 0.
        group_step: from a group to the next.
        image_step: from an image to the next.
        row_step: from an input row to the next.
        column_step: from an input column to the next.
        flip: 128 where bytes are int8, read as uint8: ``code ^ 128 = code + 128``; else 0.
        centre: what is taken off every (flipped) code.
        pad: what padding is in the block, centred.
    """

    rows: int
    out_h: int
    out_w: int
    height: int
    width: int
    channels: int
    kernel_h: int
    kernel_w: int
    stride_h: int
    stride_w: int
    dilation_h: int
    dilation_w: int
    pad_top: int
    pad_left: int
    first: int
    group_step: int
    image_step: int
    row_step: int
    column_step: int
    flip: int
    centre: int
    pad: int


@kernel
def gather(codes: Any, source: Any, group: Any, first: Any, count: Any, block: Any, stride: Any) -> None:
    """Write rows ``first .. first + count - 1`` of the product's left side, ordered (tap row, tap column, channel).

    Args:
        codes: uint8 or int16, flat.
        source: a ``Source``.
        group: of the product.
        first: row of the product.
        count: rows.
        block: int16 or uint8, flat, written; with ``RUN`` elements of slack behind the last row.
        stride: elements of ``block`` from row to row.
    """
    flip, centre = codes.dtype.type(source.flip), block.dtype.type(source.centre)
    channels, run, size = source.channels, source.kernel_w * source.channels, len(codes)
    is_dense = source.dilation_w == 1 and source.column_step == channels
    image, pixel = divmod(first, source.out_h * source.out_w)
    out_row, out_column = divmod(pixel, source.out_w)
    for i in range(count):
        origin = source.first + group * source.group_step + image * source.image_step
        left = out_column * source.stride_w - source.pad_left
        to = i * stride
        for tap_row in range(source.kernel_h):
            row = out_row * source.stride_h - source.pad_top + tap_row * source.dilation_h
            at = origin + row * source.row_step + left * source.column_step
            if row < 0 or row >= source.height:
                block[to : to + run] = source.pad
            elif is_dense and left >= 0 and left + source.kernel_w <= source.width:
                copy_run(codes, at, size - at, block, to, run, flip, centre)
            else:
                for tap in range(source.kernel_w):
                    column = left + tap * source.dilation_w
                    here = to + tap * channels
                    if column < 0 or column >= source.width:
                        block[here : here + channels] = source.pad
                    else:
                        at = origin + row * source.row_step + column * source.column_step
                        copy_run(codes, at, size - at, block, here, channels, flip, centre)
            to += run
        out_column += 1
        if out_column == source.out_w:
            out_column, out_row = 0, out_row + 1
            if out_row == source.out_h:
                out_row, image = 0, image + 1


@kernel
def row_sums(block: Any, stride: Any, count: Any, k: Any, sums: Any) -> None:
    """Write the sum of each row's first ``k`` elements of ``block``."""
    for i in range(count):
        row = block[i * stride : i * stride + k]
        total = 0
        for t in range(k):
            total += row[t]
        sums[i] = total
