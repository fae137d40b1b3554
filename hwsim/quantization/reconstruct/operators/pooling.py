"""Pooling and means: tap by tap over the same windows as the float reference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from hwsim.execute.float32.pooling import counted
from hwsim.execute.float32.windows import Windows, taps, windows
from hwsim.graph import Node
from hwsim.quantization.reconstruct.operators.kind import TorchOp

if TYPE_CHECKING:
    import torch


def max_pool(node: Node, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """MaxPool: padding never wins."""
    x = inputs[0]
    views = _views(x, windows(node, x.shape[2], x.shape[3]), float("-inf"))
    y = next(views)
    for view in views:
        y = y.maximum(view)
    return [y]


def average_pool(node: Node, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """AveragePool: the sum divided by the elements that count."""
    x = inputs[0]
    w = windows(node, x.shape[2], x.shape[3])
    views = _views(x, w, 0.0)
    y = next(views)
    for view in views:
        y = y + view
    return [y / x.new_tensor(counted(w, node.attributes["count_include_pad"]))]


def _views(x: torch.Tensor, w: Windows, fill: float) -> Iterator[torch.Tensor]:
    from torch.nn import functional

    (top, left), (height, width), (rows, columns) = w.before, w.padded, w.size
    sides = (left, width - left - columns, top, height - top - rows)
    x = functional.pad(x, sides, value=fill) if any(sides) else x
    for _, _, view in taps(cast(Any, x), w):  # slices, which both kinds of array take
        yield cast("torch.Tensor", view)


def reduce_mean(node: Node, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """ReduceMean over ``axes``."""
    return [inputs[0].mean(dim=tuple(node.attributes["axes"]), keepdim=bool(node.attributes["keepdims"]))]


OPERATORS: dict[str, TorchOp] = {
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "GlobalAveragePool": lambda node, inputs: [inputs[0].mean(dim=(2, 3), keepdim=True)],
    "GlobalMaxPool": lambda node, inputs: [inputs[0].amax(dim=(2, 3), keepdim=True)],
    "ReduceMean": reduce_mean,
}
