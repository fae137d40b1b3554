"""Matrix products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hwsim.graph import Node
from hwsim.quantization.reconstruct.operators.kind import TorchOp

if TYPE_CHECKING:
    import torch


def product(node: Node, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """Gemm and MatMul: x ``[..., m, k]``, weight ``[..., k, n]`` and perhaps a bias ``[n]``."""
    y = inputs[0] @ inputs[1]
    return [y + inputs[2] if len(inputs) > 2 else y]


OPERATORS: dict[str, TorchOp] = {"Gemm": product, "MatMul": product}
