"""Convolution in float32: im2col and BLAS, tap by tap where every channel is its own group."""

from __future__ import annotations

import numpy as np

from hwsim.execute.float32.windows import Windows, columns, padded, taps, windows
from hwsim.graph import Node

_BLOCK_BYTES = 32 * 2**20  # of im2col at once: keeps memory flat for any batch


def conv(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Conv: x ``[n, c, h, w]``, weight ``[o, c / groups, kh, kw]``, bias ``[o]`` -> ``[n, o, out_h, out_w]``."""
    x, weight = inputs[0], inputs[1]
    w = windows(node, x.shape[2], x.shape[3])
    groups = node.attributes["groups"]
    if groups == x.shape[1] and groups > 1:
        y = _depthwise(padded(x, w, 0), weight, w)
    else:
        y = _grouped(padded(x, w, 0), weight, w, groups)
    if len(inputs) > 2:
        y += inputs[2].reshape(-1, 1, 1)
    return [y]


def _depthwise(x: np.ndarray, weight: np.ndarray, w: Windows) -> np.ndarray:
    batch, channels = x.shape[:2]
    per_channel = weight.reshape(channels, -1, *w.kernel)
    y = np.zeros((batch, channels, per_channel.shape[1], *w.count), dtype=np.float32)
    product = np.empty_like(y)
    for row, column, view in taps(x, w):
        np.multiply(view[:, :, None], per_channel[None, :, :, row, column, None, None], out=product)
        y += product
    return y.reshape(batch, -1, *w.count)


def _grouped(x: np.ndarray, weight: np.ndarray, w: Windows, groups: int) -> np.ndarray:
    batch, channels = x.shape[:2]
    positions = w.count[0] * w.count[1]
    depth = channels // groups * w.kernel[0] * w.kernel[1]
    matrix = np.ascontiguousarray(weight.reshape(groups, -1, depth))
    y = np.empty((batch, groups, matrix.shape[1], positions), dtype=np.float32)
    step = max(1, _BLOCK_BYTES // max(4 * groups * depth * positions, 1))
    for start in range(0, batch, step):
        block = x[start : start + step]
        gathered = block if w.is_pointwise else columns(block, w)
        np.matmul(matrix, gathered.reshape(len(block), groups, depth, positions), out=y[start : start + step])
    return y.reshape(batch, -1, *w.count)


def conv_transpose(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """ConvTranspose: x ``[n, c, h, w]``, weight ``[c, o / groups, kh, kw]``, bias ``[o]``: every element spreads a kernel."""
    x, weight = inputs[0], inputs[1]
    batch, channels, height, width = x.shape
    groups = node.attributes["groups"]
    (sy, sx), (dy, dx), (kh, kw) = (node.attributes[key] for key in ("strides", "dilations", "kernel"))
    top, left, bottom, right = node.attributes["pads"]
    extra_y, extra_x = node.attributes["output_padding"]
    full = ((height - 1) * sy + dy * (kh - 1) + 1 + extra_y, (width - 1) * sx + dx * (kw - 1) + 1 + extra_x)
    matrix = weight.reshape(groups, channels // groups, -1).transpose(0, 2, 1)
    spread = np.matmul(matrix, x.reshape(batch, groups, channels // groups, height * width))
    spread = spread.reshape(batch, groups * weight.shape[1], kh, kw, height, width)
    y = np.zeros((batch, spread.shape[1], *full), dtype=np.float32)
    for row in range(kh):
        for column in range(kw):
            rows = slice(row * dy, row * dy + (height - 1) * sy + 1, sy)
            cols = slice(column * dx, column * dx + (width - 1) * sx + 1, sx)
            y[:, :, rows, cols] += spread[:, :, row, column]
    y = y[:, :, top : full[0] - bottom, left : full[1] - right]
    return [y + inputs[2].reshape(-1, 1, 1) if len(inputs) > 2 else np.ascontiguousarray(y)]


OPERATORS = {"Conv": conv, "ConvTranspose": conv_transpose}
