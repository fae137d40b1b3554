"""Functions of one element in float32: ``node`` gives the parameters, every function maps an array to an array."""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt

import numpy as np

from hwsim.execute.float32.arithmetic import FloatOp
from hwsim.execute.float32.erf import erf
from hwsim.graph import Node


def clamp(x: np.ndarray, low: float | None, high: float | None) -> np.ndarray:
    """Return ``x`` between ``low`` and ``high`` (None is open); where they cross, ``high`` wins, as in ONNX Clip."""
    if low is not None:
        x = np.maximum(x, x.dtype.type(low))
    if high is not None:
        x = np.minimum(x, x.dtype.type(high))
    return x


def _clip(node: Node, x: np.ndarray) -> np.ndarray:
    return clamp(x, node.attributes["minimum"], node.attributes["maximum"])


def _leaky_relu(node: Node, x: np.ndarray) -> np.ndarray:
    return np.where(x < 0, x * np.float32(node.attributes["alpha"]), x)


def _sigmoid(node: Node, x: np.ndarray) -> np.ndarray:
    small = np.exp(-np.abs(x))  # never overflows
    return np.where(x >= 0, np.float32(1), small) / (1 + small)


def _hard_sigmoid(node: Node, x: np.ndarray) -> np.ndarray:
    alpha, beta = np.float32(node.attributes["alpha"]), np.float32(node.attributes["beta"])
    return clamp(x * alpha + beta, 0.0, 1.0)


def _hard_swish(node: Node, x: np.ndarray) -> np.ndarray:
    return x * clamp(x * np.float32(1 / 6) + np.float32(0.5), 0.0, 1.0)


def _gelu(node: Node, x: np.ndarray) -> np.ndarray:
    if node.attributes["approximate"] == "tanh":
        inner = np.float32(sqrt(2 / pi)) * (x + np.float32(0.044715) * x * x * x)
        return np.float32(0.5) * x * (1 + np.tanh(inner))
    return (0.5 * x * (1.0 + erf(x / sqrt(2)))).astype(np.float32)


def _element(function: Callable[[Node, np.ndarray], np.ndarray]) -> FloatOp:
    def run(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
        return [np.asarray(function(node, inputs[0]))]

    return run


def prelu(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """PRelu: x and a slope that broadcasts to it."""
    x, slope = inputs
    return [np.where(x < 0, x * slope, x)]


OPERATORS: dict[str, FloatOp] = {
    "Relu": _element(lambda node, x: np.maximum(x, x.dtype.type(0))),
    "Clip": _element(_clip),
    "LeakyRelu": _element(_leaky_relu),
    "PRelu": prelu,
    "Sigmoid": _element(_sigmoid),
    "HardSigmoid": _element(_hard_sigmoid),
    "HardSwish": _element(_hard_swish),
    "Tanh": _element(lambda node, x: np.tanh(x)),
    "Gelu": _element(_gelu),
    "Erf": _element(lambda node, x: erf(x).astype(np.float32)),
    "Sqrt": _element(lambda node, x: np.sqrt(x)),
    "Exp": _element(lambda node, x: np.exp(x)),
    "Neg": _element(lambda node, x: np.negative(x)),
}
