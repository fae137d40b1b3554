"""Functions of one element."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hwsim.graph import Node
from hwsim.quantization.reconstruct.operators.kind import TorchOp

if TYPE_CHECKING:
    import torch


def clamp(x: torch.Tensor, low: float | None, high: float | None) -> torch.Tensor:
    """Return ``x`` between ``low`` and ``high``; None is open. The common cases have derivatives that are cheaper than clamp's."""
    from torch.nn import functional

    if low is None and high is None:
        return x
    if low == 0.0 and high is None:
        return functional.relu(x)
    if low is not None and high is not None and low <= high:
        return functional.hardtanh(x, low, high)
    return x.clamp(low, high)


def _clip(node: Node, x: torch.Tensor) -> torch.Tensor:
    return clamp(x, node.attributes["minimum"], node.attributes["maximum"])


def _leaky_relu(node: Node, x: torch.Tensor) -> torch.Tensor:
    return x.where(x >= 0, x * node.attributes["alpha"])


def _hard_sigmoid(node: Node, x: torch.Tensor) -> torch.Tensor:
    return clamp(x * node.attributes["alpha"] + node.attributes["beta"], 0.0, 1.0)


def _hard_swish(node: Node, x: torch.Tensor) -> torch.Tensor:
    return x * clamp(x / 6 + 0.5, 0.0, 1.0)


def _gelu(node: Node, x: torch.Tensor) -> torch.Tensor:
    from torch.nn import functional

    return functional.gelu(x, approximate="tanh" if node.attributes["approximate"] == "tanh" else "none")


def _element(function: Callable[[Node, torch.Tensor], torch.Tensor]) -> TorchOp:
    def run(node: Node, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
        return [function(node, inputs[0])]

    return run


def prelu(node: Node, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """PRelu: x and a slope that broadcasts to it."""
    x, slope = inputs
    return [x.where(x >= 0, x * slope)]


OPERATORS: dict[str, TorchOp] = {
    "Relu": _element(lambda node, x: clamp(x, 0.0, None)),
    "Clip": _element(_clip),
    "LeakyRelu": _element(_leaky_relu),
    "PRelu": prelu,
    "Sigmoid": _element(lambda node, x: x.sigmoid()),
    "HardSigmoid": _element(_hard_sigmoid),
    "HardSwish": _element(_hard_swish),
    "Tanh": _element(lambda node, x: x.tanh()),
    "Gelu": _element(_gelu),
    "Erf": _element(lambda node, x: x.erf()),
    "Sqrt": _element(lambda node, x: x.sqrt()),
    "Exp": _element(lambda node, x: x.exp()),
    "Neg": _element(lambda node, x: -x),
}
