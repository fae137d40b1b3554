"""Arithmetic on whole tensors."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import add, mul, sub, truediv
from typing import TYPE_CHECKING

from hwsim.graph import Node
from hwsim.quantization.reconstruct.operators.kind import TorchOp

if TYPE_CHECKING:
    import torch


def _folded(function: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> TorchOp:
    def run(node: Node, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
        return [reduce(function, inputs)]

    return run


def where(node: Node, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """Where: x where the condition is not 0, else y."""
    x, y, condition = inputs
    return [x.where(condition != 0, y)]


OPERATORS: dict[str, TorchOp] = {
    "Add": _folded(add),
    "Sum": _folded(add),
    "Sub": _folded(sub),
    "Mul": _folded(mul),
    "Div": _folded(truediv),
    "Pow": _folded(pow),
    "Where": where,
}
