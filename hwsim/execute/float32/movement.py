"""Operators that move elements without arithmetic; every dtype passes unchanged."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hwsim.graph import Node


def pad(node: Node, x: np.ndarray, fill: Any) -> np.ndarray:
    """Pad: ``fill`` is what a constant pad holds, in the unit of ``x`` (a real, or a code)."""
    mode = node.attributes["mode"]
    if mode == "constant":
        return np.pad(x, node.attributes["pads"], constant_values=fill)
    return np.pad(x, node.attributes["pads"], mode=mode)


def _pad_real(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    return [pad(node, inputs[0], node.attributes["value"])]


def concat(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Concat; an operand with one row (a constant) is repeated over the batch."""
    axis = node.attributes["axis"]
    batch = max(x.shape[0] for x in inputs)
    if axis != 0:
        inputs = [np.broadcast_to(x, (batch, *x.shape[1:])) for x in inputs]
    return [np.concatenate(inputs, axis=axis)]


def reshape(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Reshape: 0 copies a dimension, -1 is inferred."""
    x = inputs[0]
    target = tuple(x.shape[dim] if size == 0 else size for dim, size in enumerate(node.attributes["shape"]))
    return [x.reshape(target)]


def flatten(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Flatten into two dimensions at ``axis``."""
    x, axis = inputs[0], node.attributes["axis"]
    return [x.reshape(math.prod(x.shape[:axis]), -1)]


def squeeze(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Squeeze."""
    return [np.squeeze(inputs[0], axis=tuple(node.attributes["axes"]))]


def unsqueeze(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Unsqueeze; axes count in the output."""
    return [np.expand_dims(inputs[0], tuple(node.attributes["axes"]))]


def transpose(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Transpose."""
    return [np.ascontiguousarray(np.transpose(inputs[0], node.attributes["permutation"]))]


def slice_(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Slice."""
    where = [slice(None)] * inputs[0].ndim
    bounds = (node.attributes[key] for key in ("starts", "ends", "axes", "steps"))
    for start, end, axis, step in zip(*bounds, strict=True):
        where[axis] = slice(start, end, step)
    return [np.ascontiguousarray(inputs[0][tuple(where)])]


def split(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Split."""
    cuts = np.cumsum(node.attributes["sizes"])[:-1]
    return [np.ascontiguousarray(part) for part in np.split(inputs[0], cuts, axis=node.attributes["axis"])]


def gather(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Gather: integer indices along ``axis``."""
    return [np.asarray(np.take(inputs[0], inputs[1], axis=node.attributes["axis"]))]


def depth_to_space(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """DepthToSpace: DCR takes the block from the outer channels, CRD from the inner ones."""
    x, block = inputs[0], node.attributes["blocksize"]
    batch, channels, height, width = x.shape
    depth = channels // (block * block)
    if node.attributes["mode"] == "DCR":
        x = x.reshape(batch, block, block, depth, height, width).transpose(0, 3, 4, 1, 5, 2)
    else:
        x = x.reshape(batch, depth, block, block, height, width).transpose(0, 1, 4, 2, 5, 3)
    return [np.ascontiguousarray(x).reshape(batch, depth, height * block, width * block)]


def identity(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Identity."""
    return [inputs[0]]


def reinterpret(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Reinterpret: what the same codes stand for on another grid, whose zero point may be an operand."""
    factor, offset = (np.float32(node.attributes[key]) for key in ("factor", "offset"))
    real = inputs[0] * factor + offset
    return [real - inputs[1] if len(inputs) > 1 else real]


OPERATORS = {
    "Pad": _pad_real,
    "Concat": concat,
    "Reshape": reshape,
    "Flatten": flatten,
    "Squeeze": squeeze,
    "Unsqueeze": unsqueeze,
    "Transpose": transpose,
    "Slice": slice_,
    "Split": split,
    "Gather": gather,
    "DepthToSpace": depth_to_space,
    "Identity": identity,
    "Quantize": identity,
    "Reinterpret": reinterpret,
}
