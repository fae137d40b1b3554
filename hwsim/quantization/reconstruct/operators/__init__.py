"""The operators as differentiable PyTorch functions: ``TORCH_OPS[op](node, operands) -> results``, one file per kind.

They compute what ``hwsim.execute.float32`` computes. What only codes know (thresholds that are counted, zero points that an
inference finds, codes read on another grid) has no useful derivative and no row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hwsim.errors import ExecutionError, GraphError
from hwsim.graph import Node
from hwsim.quantization.reconstruct.operators import (
    activation,
    arithmetic,
    convolution,
    dynamic,
    matrix,
    movement,
    normalization,
    pooling,
    resize,
)
from hwsim.quantization.reconstruct.operators.kind import TorchOp

if TYPE_CHECKING:
    import torch

TORCH_OPS: dict[str, TorchOp] = {
    **convolution.OPERATORS,
    **matrix.OPERATORS,
    **pooling.OPERATORS,
    **arithmetic.OPERATORS,
    **activation.OPERATORS,
    **normalization.OPERATORS,
    **resize.OPERATORS,
    **movement.OPERATORS,
    **dynamic.OPERATORS,
}


def run_node(node: Node, operands: list[torch.Tensor]) -> list[torch.Tensor]:
    """Return what a node computes, its fused clamp included.

    Raises:
        GraphError: an operator without a derivative.
        ExecutionError: operands that it does not fit.
    """
    if node.op not in TORCH_OPS:
        raise GraphError(
            f"reconstruction: node {node.name!r}: operator {node.op!r} cannot be differentiated; "
            "choose a scope of single layers, or a method that learns nothing"
        )
    try:
        results = TORCH_OPS[node.op](node, operands)
    except (ValueError, IndexError, RuntimeError) as error:
        shapes = ", ".join(
            f"{name!r} {list(x.shape)}" for name, x in zip(filter(None, node.inputs), operands, strict=True)
        )
        raise ExecutionError(f"reconstruction: node {node.name!r} ({node.op}) fails on {shapes}: {error}") from None
    low, high = node.clamp
    return results if low is None and high is None else [activation.clamp(y, low, high) for y in results]
