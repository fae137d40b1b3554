"""Softmax and the normalizations in float32."""

from __future__ import annotations

import numpy as np

from hwsim.graph import Node


def softmax(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Softmax along ``axis``, shifted by the maximum."""
    x, axis = inputs[0], node.attributes["axis"]
    y = np.exp(x - x.max(axis=axis, keepdims=True))
    y /= y.sum(axis=axis, keepdims=True)
    return [y]


def layer_normalization(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """LayerNormalization over the dimensions from ``axis`` on: x, scale[, bias]."""
    x = inputs[0]
    axes = tuple(range(node.attributes["axis"], x.ndim))
    centred = x - x.mean(axis=axes, keepdims=True)
    variance = (centred * centred).mean(axis=axes, keepdims=True)
    y = centred / np.sqrt(variance + np.float32(node.attributes["epsilon"])) * inputs[1]
    return [y + inputs[2] if len(inputs) > 2 else y]


def batch_normalization(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """BatchNormalization: x ``[n, c, ...]``, scale, bias, mean and variance ``[c]``."""
    x, scale, bias, mean, variance = inputs
    factor = scale / np.sqrt(variance + np.float32(node.attributes["epsilon"]))
    offset = bias - mean * factor
    shape = (-1, *(1,) * (x.ndim - 2))
    y = x * factor.reshape(shape)
    y += offset.reshape(shape)
    return [y]


def lrn(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """LRN: x over (bias + alpha / size * the squares of ``size`` neighbouring channels) to the power beta."""
    x = inputs[0]
    alpha, beta, bias, size = (node.attributes[key] for key in ("alpha", "beta", "bias", "size"))
    channels = x.shape[1]
    squares = x * x
    sums = np.zeros_like(x)
    for offset in range(-((size - 1) // 2), size // 2 + 1):
        first, last = max(0, -offset), min(channels, channels - offset)
        if first < last:
            sums[:, first:last] += squares[:, first + offset : last + offset]
    return [x / np.power(np.float32(bias) + np.float32(alpha / size) * sums, np.float32(beta))]


OPERATORS = {
    "Softmax": softmax,
    "LayerNormalization": layer_normalization,
    "BatchNormalization": batch_normalization,
    "LRN": lrn,
}
