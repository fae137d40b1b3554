"""Pooling in integers: maxima of codes, averages as exact sums that are requantized once."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.execute.float32.windows import windows
from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.requantize import to_codes
from hwsim.execute.integer.rescaling import mean_ratio
from hwsim.kernels import pool as kernels


def _geometry(layer: Layer, codes: np.ndarray) -> tuple[Any, ...]:
    """Return kernel, strides, dilations, pads, output height and width."""
    w = windows(layer.node, codes.shape[2], codes.shape[3])
    return w.kernel, w.strides, w.dilations, (*w.before, *w.after), *w.count


def max_pool(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """MaxPool: the largest code of a window; padding never wins."""
    (codes,) = operands
    return [kernels.max_pool(codes, *_geometry(layer, codes))]


def average_pool(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """AveragePool: the exact sum of centred codes, requantized by ``s_x / (s_y * elements)``.

    Windows over the border may average fewer elements (``count_include_pad`` 0, ``ceil_mode``); each count has a
    multiplier of its own.
    """
    (codes,) = operands
    sums, counts = kernels.sum_pool(
        codes,
        *_geometry(layer, codes),
        zero_point=layer.grid(0).zero_point[0],
        include_pad=bool(layer.node.attributes["count_include_pad"]),
    )
    return [_mean(layer, sums.astype(np.int64), np.broadcast_to(counts, sums.shape))]


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
    result = np.empty(sums.shape, dtype=layer.output_grid().storage_dtype)
    for count in np.unique(counts):
        where = counts == count
        result[where] = to_codes(layer, sums[where], mean_ratio(layer, int(count)))
    return result


OPERATORS = {
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "GlobalAveragePool": global_average_pool,
    "GlobalMaxPool": global_max_pool,
    "ReduceMean": reduce_mean,
}
