"""Resize of the last two dimensions: nearest for any dtype, linear in float32 (ONNX Resize)."""

from __future__ import annotations

import numpy as np

from hwsim.graph import Node


def resize(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Resize ``[n, c, h, w]`` to ``output_size``, one axis after the other."""
    y = inputs[0]
    for axis, (scale, size) in enumerate(zip(node.attributes["scales"], node.attributes["output_size"], strict=True)):
        if size != y.shape[2 + axis] or scale != 1.0:
            y = _along(node, y, 2 + axis, scale, size)
    return [y]


def _along(node: Node, x: np.ndarray, axis: int, scale: float, size: int) -> np.ndarray:
    source = source_places(node.attributes["coordinate_transformation_mode"], x.shape[axis], size, scale)
    last = x.shape[axis] - 1
    if node.attributes["mode"] == "nearest":
        places = _nearest(node.attributes["nearest_mode"], source)
        return np.take(x, np.clip(places, 0, last).astype(np.intp), axis=axis)
    source = np.clip(source, 0, last)
    low = np.floor(source).astype(np.intp)
    shape = [1] * x.ndim
    shape[axis] = size
    weight = (source - low).astype(np.float32).reshape(shape)
    below, above = np.take(x, low, axis=axis), np.take(x, np.minimum(low + 1, last), axis=axis)
    return below * (1 - weight) + above * weight


def source_places(mode: str, size: int, output_size: int, scale: float) -> np.ndarray:
    """Return the real coordinate in the input of each output element, float64 ``[output_size]``."""
    place = np.arange(output_size, dtype=np.float64)
    length = scale * size  # not rounded
    if mode == "asymmetric":
        return place / scale
    if mode == "align_corners":
        return place * ((size - 1) / (length - 1)) if length != 1 else np.zeros(output_size)
    if mode == "pytorch_half_pixel" and length == 1:
        return np.full(output_size, -0.5)
    source = (place + 0.5) / scale - 0.5
    if mode == "half_pixel_symmetric":
        source += size / 2 * (1 - output_size / length)
    return source


def _nearest(mode: str, source: np.ndarray) -> np.ndarray:
    if mode == "round_prefer_floor":
        return np.ceil(source - 0.5)
    if mode == "round_prefer_ceil":
        return np.floor(source + 0.5)
    return np.floor(source) if mode == "floor" else np.ceil(source)


OPERATORS = {"Resize": resize}
