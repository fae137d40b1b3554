"""Pooling in integers: maxima of codes, averages as exact sums that are requantized once."""

from __future__ import annotations

import numpy as np

from hwsim.execute.float32.windows import padded, taps, windows
from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.requantize import scale_ratio, to_codes


def max_pool(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """MaxPool: the largest code of a window; padding never wins."""
    (x,) = operands
    geometry = windows(layer.node, x.shape[2], x.shape[3])
    view = padded(x, geometry, np.iinfo(x.dtype).min)
    result: np.ndarray | None = None
    for _, _, tap in taps(view, geometry):
        result = tap.copy() if result is None else np.maximum(result, tap, out=result)
    assert result is not None
    return [result]


def average_pool(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """AveragePool: the exact sum of centred codes, requantized by ``s_x / (s_y * elements)``.

    Windows over the border may average fewer elements (``count_include_pad`` 0, ``ceil_mode``); each count has a
    multiplier of its own.
    """
    (codes,) = operands
    node = layer.node
    geometry = windows(node, codes.shape[2], codes.shape[3])
    centred = layer.centred(0, codes)
    sums = np.add.reduce([tap for _, _, tap in taps(padded(centred, geometry, 0), geometry)])
    inside = np.ones((1, 1, *geometry.size), dtype=np.int64)
    if node.attributes["count_include_pad"]:
        (top, left), (bottom, right) = geometry.before, geometry.after
        inside = np.ones((1, 1, geometry.size[0] + top + bottom, geometry.size[1] + left + right), dtype=np.int64)
        full = np.zeros((1, 1, *geometry.padded), dtype=np.int64)
        rows, cols = min(full.shape[2], inside.shape[2]), min(full.shape[3], inside.shape[3])
        full[:, :, :rows, :cols] = 1
    else:
        full = padded(inside, geometry, 0)
    counts = np.add.reduce([tap for _, _, tap in taps(full, geometry)])
    return [_mean(layer, sums, np.broadcast_to(counts, sums.shape))]


def global_average_pool(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """GlobalAveragePool: one window over all of height and width."""
    (codes,) = operands
    axes = tuple(range(2, codes.ndim))
    sums = layer.centred(0, codes).sum(axis=axes, keepdims=True)
    return [_mean(layer, sums, np.full(sums.shape, codes[0, 0].size, dtype=np.int64))]


def reduce_mean(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """ReduceMean over the node's axes."""
    (codes,) = operands
    axes = tuple(layer.node.attributes["axes"])
    sums = layer.centred(0, codes).sum(axis=axes, keepdims=bool(layer.node.attributes["keepdims"]))
    count = int(np.prod([codes.shape[axis] for axis in axes]))
    return [_mean(layer, sums, np.full(sums.shape, count, dtype=np.int64))]


def global_max_pool(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """GlobalMaxPool: the largest code of each channel."""
    (codes,) = operands
    return [codes.max(axis=tuple(range(2, codes.ndim)), keepdims=True)]


def _mean(layer: Layer, sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    grid = layer.output_grid()
    result = np.empty(sums.shape, dtype=grid.storage_dtype)
    own, output = float(layer.grid(0).scales()[0]), float(grid.scales()[0])
    for count in np.unique(counts):
        where = counts == count
        scale = scale_ratio(layer, own, np.ones(1, dtype=np.float32), output * int(count))
        result[where] = to_codes(layer, sums[where], scale)
    return result


OPERATORS = {
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "GlobalAveragePool": global_average_pool,
    "GlobalMaxPool": global_max_pool,
    "ReduceMean": reduce_mean,
}
