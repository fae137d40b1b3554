"""Matrix products in float32."""

from __future__ import annotations

import numpy as np

from hwsim.graph import Node


def gemm(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Gemm: x ``[m, k]`` @ weight ``[k, n]`` + bias ``[n]``."""
    y = inputs[0] @ inputs[1]
    if len(inputs) > 2:
        y += inputs[2]
    return [y]


def matmul(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """MatMul: batched, numpy's rule."""
    return [np.asarray(np.matmul(inputs[0], inputs[1]))]


OPERATORS = {"Gemm": gemm, "MatMul": matmul}
