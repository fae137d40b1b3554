"""Scales that every inference finds, and the products that are multiplied by them afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hwsim.graph import Node
from hwsim.numerics.formats import IntFormat
from hwsim.quantization.reconstruct.operators.kind import TorchOp

if TYPE_CHECKING:
    import torch


def dynamic_scale(node: Node, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """DynamicQuantize: ``x / s`` before any rounding, and ``s = max|x| / maximum`` over the dimensions from ``axis`` on."""
    x = inputs[0]
    axes = tuple(range(node.attributes["axis"], x.ndim))
    scale = x.abs().amax(dim=axes, keepdim=True) / IntFormat.parse(node.attributes["format"]).maximum
    scale = scale.where(scale > 0, scale.new_ones(()))
    return [x / scale, scale]


def rescale(node: Node, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """Rescale: ``x * scale``, and perhaps a bias."""
    scaled = inputs[0] * inputs[1]
    return [scaled + inputs[2] if len(inputs) > 2 else scaled]


OPERATORS: dict[str, TorchOp] = {"DynamicQuantize": dynamic_scale, "Rescale": rescale}
