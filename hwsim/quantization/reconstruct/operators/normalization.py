"""Softmax and the normalizations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hwsim.graph import Node
from hwsim.quantization.reconstruct.operators.kind import TorchOp

if TYPE_CHECKING:
    import torch


def softmax(node: Node, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """Softmax along ``axis``."""
    return [inputs[0].softmax(dim=node.attributes["axis"])]


def layer_normalization(node: Node, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """LayerNormalization over the dimensions from ``axis`` on: x, scale[, bias]."""
    x = inputs[0]
    axes = tuple(range(node.attributes["axis"], x.ndim))
    centred = x - x.mean(dim=axes, keepdim=True)
    variance = (centred * centred).mean(dim=axes, keepdim=True)
    y = centred / (variance + node.attributes["epsilon"]).sqrt() * inputs[1]
    return [y + inputs[2] if len(inputs) > 2 else y]


def batch_normalization(node: Node, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """BatchNormalization: x ``[n, c, ...]``, scale, bias, mean and variance ``[c]``."""
    x, scale, bias, mean, variance = inputs
    shape = (-1, *(1,) * (x.ndim - 2))
    factor = scale / (variance + node.attributes["epsilon"]).sqrt()
    return [x * factor.reshape(shape) + (bias - mean * factor).reshape(shape)]


def lrn(node: Node, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """LRN: x over (bias + alpha / size * the squares of ``size`` neighbouring channels) to the power beta."""
    from torch.nn import functional

    x = inputs[0]
    alpha, beta, bias, size = (node.attributes[key] for key in ("alpha", "beta", "bias", "size"))
    squares = functional.pad(x * x, (0, 0, 0, 0, (size - 1) // 2, size // 2))
    sums = squares.unfold(1, size, 1).sum(dim=-1)
    return [x / (bias + alpha / size * sums) ** beta]


OPERATORS: dict[str, TorchOp] = {
    "Softmax": softmax,
    "LayerNormalization": layer_normalization,
    "BatchNormalization": batch_normalization,
    "LRN": lrn,
}
