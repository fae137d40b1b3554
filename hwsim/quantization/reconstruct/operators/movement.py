"""Operators that only move elements: where each one comes from is asked of the float reference, on the places themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hwsim.execute.float32 import FLOAT_OPS
from hwsim.execute.float32.movement import pad
from hwsim.graph import Node
from hwsim.quantization.reconstruct.operators.kind import TorchOp

if TYPE_CHECKING:
    import torch

_MOVES = (
    "Reshape",
    "Flatten",
    "Squeeze",
    "Unsqueeze",
    "Transpose",
    "Slice",
    "Split",
    "DepthToSpace",
    "Identity",
    "Quantize",
)


def move(node: Node, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """Return the moved elements of the first input; further inputs are constant indices."""
    x = inputs[0]
    operands = [_places(x), *(index.numpy() for index in inputs[1:])]
    return [taken(x, places) for places in FLOAT_OPS[node.op](node, operands)]


def pad_real(node: Node, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """Pad: a constant stands one place behind the elements."""
    import torch

    x = inputs[0]
    padded = pad(node, _places(x), x.numel())
    if node.attributes["mode"] != "constant":
        return [taken(x, padded)]
    return [taken(torch.cat([x.reshape(-1), x.new_full((1,), node.attributes["value"])]), padded)]


def concat(node: Node, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """Concat; an operand with one row (a constant) is repeated over the batch."""
    import torch

    axis = node.attributes["axis"]
    batch = max(x.shape[0] for x in inputs)
    if axis != 0:
        inputs = [x.expand(batch, *x.shape[1:]) for x in inputs]
    return [torch.cat(inputs, dim=axis)]


def _places(x: torch.Tensor) -> np.ndarray:
    return np.arange(x.numel()).reshape(tuple(x.shape))


def taken(x: torch.Tensor, places: np.ndarray) -> torch.Tensor:
    """Return the elements at flat ``places``, in their shape; a view where the order stays."""
    import torch

    flat = places.reshape(-1)
    if flat.size == x.numel() and np.array_equal(flat, np.arange(flat.size)):
        return x.reshape(places.shape)
    return x.reshape(-1).index_select(0, torch.from_numpy(np.ascontiguousarray(flat))).reshape(places.shape)


OPERATORS: dict[str, TorchOp] = {
    **dict.fromkeys((*_MOVES, "Gather"), move),
    "Pad": pad_real,
    "Concat": concat,
}
