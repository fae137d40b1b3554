"""Thresholds that are counted, in float32."""

from __future__ import annotations

import numpy as np

from hwsim.execute.float32.arithmetic import FloatOp
from hwsim.graph import Node
from hwsim.numerics.multithreshold import count_reached


def multi_threshold(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """MultiThreshold: ``offset + factor * #{i : x >= T_i}``, rounded twice as QONNX does."""
    x, thresholds = inputs
    return [levels(node, count_reached(x, thresholds, node.attributes["axis"]))]


def levels(node: Node, counts: np.ndarray) -> np.ndarray:
    """Return the real results of ``counts`` thresholds that were reached."""
    return counts.astype(np.float32) * np.float32(node.attributes["factor"]) + np.float32(node.attributes["offset"])


OPERATORS: dict[str, FloatOp] = {"MultiThreshold": multi_threshold}
