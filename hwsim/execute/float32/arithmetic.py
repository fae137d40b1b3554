"""Arithmetic on whole tensors in float32."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import numpy as np

from hwsim.graph import Node

FloatOp = Callable[[Node, list[np.ndarray]], list[np.ndarray]]


def _binary(function: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> FloatOp:
    def run(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
        return [np.asarray(function(inputs[0], inputs[1]))]

    return run


def total(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Sum of all inputs, from the first to the last."""
    return [np.asarray(reduce(np.add, inputs))]


def power(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Pow; squares, cubes and roots, which decompositions write as powers, without the general function."""
    x, exponent = inputs
    if exponent.size == 1 and exponent.ndim <= x.ndim:
        value = float(exponent.reshape(()))
        if value == 2.0:
            return [x * x]
        if value == 3.0:
            return [x * x * x]
        if value == 0.5:
            return [np.sqrt(x)]
    return [np.asarray(np.power(x, exponent))]


def where(node: Node, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Where: x where the condition is not 0, else y."""
    x, y, condition = inputs
    return [np.where(condition != 0, x, y)]


OPERATORS: dict[str, FloatOp] = {
    "Add": _binary(np.add),
    "Sub": _binary(np.subtract),
    "Mul": _binary(np.multiply),
    "Div": _binary(np.divide),
    "Pow": power,
    "Sum": total,
    "Where": where,
}
