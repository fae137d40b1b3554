"""Operators in the file's layout, ``[batch, height, width, channels]``, written from the definitions, element by element."""

import numpy as np


def _places(size, kernel, stride, dilation, same):
    """For each output element the input elements below the kernel, None in the padding (TensorFlow's SAME and VALID)."""
    extent = dilation * (kernel - 1) + 1
    if same:
        count = -(-size // stride)
        start = -(max((count - 1) * stride + extent - size, 0) // 2)
    else:
        count, start = (size - extent) // stride + 1, 0
    rows = [[start + out * stride + tap * dilation for tap in range(kernel)] for out in range(count)]
    return [[place if 0 <= place < size else None for place in row] for row in rows]


def conv(x, weight, *, strides, dilations, same):
    """``weight [out, height, width, in / groups]``."""
    outs, height, width, share = weight.shape
    rows = _places(x.shape[1], height, strides[0], dilations[0], same)
    columns = _places(x.shape[2], width, strides[1], dilations[1], same)
    y = np.zeros((x.shape[0], len(rows), len(columns), outs))
    per_group = outs // (x.shape[3] // share)
    for i, taps in enumerate(rows):
        for j, others in enumerate(columns):
            for a, row in enumerate(taps):
                for b, column in enumerate(others):
                    if row is None or column is None:
                        continue
                    for out in range(outs):
                        first = out // per_group * share
                        y[:, i, j, out] += x[:, row, column, first : first + share] @ weight[out, a, b]
    return y


def depthwise(x, weight, **window):
    """``weight [1, height, width, channels * multiplier]``: output ``c * multiplier + m`` reads channel ``c``."""
    return conv(x, weight.transpose(3, 1, 2, 0), **window)


def transpose_conv(x, weight, shape, *, strides, same):
    """Every input element adds its multiple of the kernel to the output; what falls outside of ``shape`` is lost."""
    outs, height, width, _ = weight.shape
    y = np.zeros((x.shape[0], *shape, outs))
    before = []
    for size, kernel, stride in zip(shape, (height, width), strides, strict=True):
        count = -(-size // stride) if same else (size - kernel) // stride + 1
        before.append(max((count - 1) * stride + kernel - size, 0) // 2)
    for i in range(x.shape[1]):
        for j in range(x.shape[2]):
            for a in range(height):
                for b in range(width):
                    row, column = i * strides[0] + a - before[0], j * strides[1] + b - before[1]
                    if 0 <= row < shape[0] and 0 <= column < shape[1]:
                        y[:, row, column] += x[:, i, j] @ weight[:, a, b].T
    return y


def pool(x, function, *, kernel, strides, same):
    """``function`` of the elements below each window; the padding does not count."""
    rows = _places(x.shape[1], kernel[0], strides[0], 1, same)
    columns = _places(x.shape[2], kernel[1], strides[1], 1, same)
    y = np.zeros((x.shape[0], len(rows), len(columns), x.shape[3]))
    for i, taps in enumerate(rows):
        for j, others in enumerate(columns):
            kept = [x[:, a, b] for a in taps for b in others if a is not None and b is not None]
            y[:, i, j] = function(np.stack(kept), axis=0)
    return y


def activated(y, number):
    """What fused activation ``number`` of the schema does."""
    low, high = {0: (-np.inf, np.inf), 1: (0, np.inf), 2: (-1, 1), 3: (0, 6)}[number]
    return np.clip(y, low, high)


def space_to_depth(x, block):
    """Channel ``(i * block + j) * channels + c`` of the result is place (i, j) of a block."""
    batch, height, width, channels = x.shape
    y = np.zeros((batch, height // block, width // block, channels * block * block), x.dtype)
    for i in range(block):
        for j in range(block):
            first = (i * block + j) * channels
            y[..., first : first + channels] = x[:, i::block, j::block]
    return y


def nearest(x, size, *, aligned, half):
    """``GetNearestNeighbor``, one place after the other in float32."""
    one = np.float32
    picks = []
    for length, target in zip(x.shape[1:3], size, strict=True):
        scale = one(length - 1) / one(target - 1) if aligned and target > 1 else one(length) / one(target)
        row = []
        for place in range(target):
            where = float((one(place) + one(0.5) if half else one(place)) * scale)
            where = int(where + 0.5) if aligned else int(where)
            row.append(max(min(where, length - 1), 0))
        picks.append(row)
    return x[:, picks[0]][:, :, picks[1]]
