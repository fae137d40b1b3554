"""Pooling and means in float32; the maxima work on any dtype."""

from __future__ import annotations

import numpy as np

from hwsim.execute.float32.windows import Windows, padded, taps, windows
from hwsim.graph import Node


def max_pool(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """MaxPool: padding never wins; integers keep their dtype."""
    x = inputs[0]
    w = windows(node, x.shape[2], x.shape[3])
    lowest = -np.inf if np.issubdtype(x.dtype, np.floating) else np.iinfo(x.dtype).min
    y = np.full((*x.shape[:2], *w.count), lowest, dtype=x.dtype)
    for _, _, view in taps(padded(x, w, lowest), w):
        np.maximum(y, view, out=y)
    return [y]


def average_pool(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """AveragePool: the sum divided by the elements that count."""
    x = inputs[0]
    w = windows(node, x.shape[2], x.shape[3])
    return [window_sum(x, w, np.float32) / counted(w, node.attributes["count_include_pad"]).astype(np.float32)]


def window_sum(x: np.ndarray, w: Windows, dtype: type, fill: int = 0) -> np.ndarray:
    """Return the sum of every window ``[n, c, out_h, out_w]`` in ``dtype``."""
    y: np.ndarray = np.zeros_like(x, dtype=dtype, shape=(*x.shape[:2], *w.count))
    for _, _, view in taps(padded(x, w, fill), w):
        y += view
    return y


def counted(w: Windows, include_pad: bool) -> np.ndarray:
    """Return how many elements each window averages ``[out_h, out_w]``: with the pads or without, never the overhang."""
    sides = []
    for i in (0, 1):
        first = np.arange(w.count[i])[:, None] * w.strides[i] - w.before[i]
        places = first + np.arange(w.kernel[i])[None] * w.dilations[i]
        low, high = (-w.before[i], w.size[i] + w.after[i]) if include_pad else (0, w.size[i])
        sides.append(((places >= low) & (places < high)).sum(axis=1))
    return np.outer(sides[0], sides[1])


def global_average_pool(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """GlobalAveragePool over height and width."""
    return [inputs[0].mean(axis=(2, 3), keepdims=True, dtype=np.float32)]


def global_max_pool(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """GlobalMaxPool over height and width; integers keep their dtype."""
    return [inputs[0].max(axis=(2, 3), keepdims=True)]


def reduce_mean(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """ReduceMean over ``axes``."""
    axes, keepdims = tuple(node.attributes["axes"]), node.attributes["keepdims"]
    return [np.asarray(inputs[0].mean(axis=axes, keepdims=keepdims, dtype=np.float32))]


OPERATORS = {
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "GlobalAveragePool": global_average_pool,
    "GlobalMaxPool": global_max_pool,
    "ReduceMean": reduce_mean,
}
