"""Operators that move codes: the float32 movers on integers, padding with the code of the pad value."""

from __future__ import annotations

import numpy as np

from hwsim.execute.float32.movement import pad
from hwsim.execute.float32.registry import FLOAT_OPS
from hwsim.execute.integer.layer import Layer
from hwsim.kernels.layout import transposed


def move(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """Move codes, or real values where there is no grid; a pad value in real units becomes its code."""
    node = layer.node
    if node.op == "Reinterpret":
        return [operands[0].astype(layer.output_grid().storage_dtype, copy=False)]
    if node.op == "Transpose":
        return [transposed(operands[0], tuple(node.attributes["permutation"]))]
    if node.op == "Pad" and layer.is_coded:
        fill = layer.grid(0).encode(np.array([node.attributes["value"]], dtype=np.float32))[0]
        return [pad(node, operands[0], fill)]
    return FLOAT_OPS[node.op](node, operands)
