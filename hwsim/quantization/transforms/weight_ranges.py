"""The range of a weight per output channel and per input channel: what equalization makes equal and smoothing divides."""

from __future__ import annotations

import numpy as np

from hwsim.graph import Node


def weight_rows(node: Node, weight: np.ndarray) -> np.ndarray:
    """Return the largest magnitude in each output channel of a weight, ``[out_channels]``."""
    if node.op == "ConvTranspose":
        groups = node.attributes["groups"]
        grouped = np.abs(weight).reshape(groups, -1, *weight.shape[1:])
        return np.asarray(grouped.max(axis=(1, 3, 4)).reshape(-1))
    if node.op == "Conv":
        return np.asarray(np.abs(weight).max(axis=(1, 2, 3)))
    return np.asarray(np.abs(weight).reshape(-1, weight.shape[-1]).max(axis=0))


def weight_columns(node: Node, weight: np.ndarray) -> np.ndarray:
    """Return the largest magnitude that meets each input channel, ``[in_channels]``."""
    if node.op == "Conv":
        groups = node.attributes["groups"]
        grouped = np.abs(weight).reshape(groups, -1, *weight.shape[1:])
        return np.asarray(grouped.max(axis=(1, 3, 4)).reshape(-1))
    if node.op == "ConvTranspose":
        return np.asarray(np.abs(weight).max(axis=(1, 2, 3)))
    return np.asarray(np.moveaxis(np.abs(weight), -2, 0).reshape(weight.shape[-2], -1).max(axis=1))
