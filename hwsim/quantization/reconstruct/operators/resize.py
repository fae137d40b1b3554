"""Resize of the last two dimensions: a choice of elements, or a product with what the float reference does to unit vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hwsim.execute.float32 import FLOAT_OPS
from hwsim.graph import Node
from hwsim.quantization.reconstruct.operators.kind import TorchOp
from hwsim.quantization.reconstruct.operators.movement import move

if TYPE_CHECKING:
    import torch


def resize(node: Node, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """Resize ``[n, c, h, w]``."""
    import torch

    if node.attributes["mode"] == "nearest":
        return move(node, inputs[:1])
    x = inputs[0]
    vertical, horizontal = (np.eye(size, dtype=np.float32) for size in x.shape[2:])
    rows = FLOAT_OPS["Resize"](node, [vertical[:, None, :, None]])[0][:, 0, :, 0]  # [h, out_h]
    columns = FLOAT_OPS["Resize"](node, [horizontal[:, None, None, :]])[0][:, 0, 0, :]  # [w, out_w]
    return [torch.einsum("nchw,hp,wq->ncpq", x, torch.from_numpy(rows.copy()), torch.from_numpy(columns.copy()))]


OPERATORS: dict[str, TorchOp] = {"Resize": resize}
