"""Convolutions, with pads that may differ from side to side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hwsim.graph import Node
from hwsim.quantization.reconstruct.operators.kind import TorchOp

if TYPE_CHECKING:
    import torch


def conv(node: Node, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """Conv: x ``[n, c, h, w]``, weight ``[o, c / groups, kh, kw]``, bias ``[o]``."""
    from torch.nn import functional

    x, weight = inputs[0], inputs[1]
    top, left, bottom, right = node.attributes["pads"]
    padding = (top, left)
    if (top, left) != (bottom, right):
        x, padding = functional.pad(x, (left, right, top, bottom)), (0, 0)
    strides, dilations = tuple(node.attributes["strides"]), tuple(node.attributes["dilations"])
    bias = inputs[2].reshape(-1) if len(inputs) > 2 else None
    return [functional.conv2d(x, weight, bias, strides, padding, dilations, node.attributes["groups"])]


def conv_transpose(node: Node, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """ConvTranspose: x ``[n, c, h, w]``, weight ``[c, o / groups, kh, kw]``, bias ``[o]``; the pads are cut off the full result."""
    from torch.nn import functional

    strides, dilations = tuple(node.attributes["strides"]), tuple(node.attributes["dilations"])
    groups = node.attributes["groups"]
    full = functional.conv_transpose2d(inputs[0], inputs[1], stride=strides, groups=groups, dilation=dilations)
    extra_y, extra_x = node.attributes["output_padding"]
    top, left, bottom, right = node.attributes["pads"]
    y = functional.pad(full, (-left, extra_x - right, -top, extra_y - bottom))
    return [y + inputs[2].reshape(-1, 1, 1) if len(inputs) > 2 else y]


OPERATORS: dict[str, TorchOp] = {"Conv": conv, "ConvTranspose": conv_transpose}
