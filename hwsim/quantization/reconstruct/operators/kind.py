"""The type of a differentiable operator."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hwsim.graph import Node

if TYPE_CHECKING:
    import torch

TorchOp = Callable[[Node, list["torch.Tensor"]], list["torch.Tensor"]]
