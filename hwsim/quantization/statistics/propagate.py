"""Carry moments through a network, operator by operator.

A node with the attribute ``normal`` starts anew: mean beta and deviation ``|gamma|`` per channel, through its clamp. Between such
nodes elements are taken as independent and normal where they are added or multiplied, and as moving together where they are
pooled, so that a pool keeps means. What no rule covers is unknown, and so is what depends on it, but for operators whose results
have ends by definition, such as a softmax.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hwsim.graph import Graph
from hwsim.quantization.statistics.moments import Moments
from hwsim.quantization.statistics.rules import bounded, rule_for


def propagated(graph: Graph, inputs: Mapping[str, Moments]) -> dict[str, Moments]:
    """Return the moments of every activation that statistics reach.

    Args:
        graph: prepared (``hwsim.quantization.prepare``), of which nodes carry ``normal``; grids are ignored.
        inputs: what is known of network inputs, by name.
    """
    known = dict(inputs)
    for node in graph.nodes:
        normal = node.attributes.get("normal")
        shape = graph.tensors[node.outputs[0]].shape
        if normal is not None:
            mean, deviation = (_spread(np.array(values), shape) for values in normal)
            known[node.outputs[0]] = Moments.normal(mean, np.square(deviation)).clamped(*node.clamp)
            continue
        operands = [_operand(graph, known, name) for name in node.inputs if name]
        results = None
        if all(operand is not None for operand in operands):
            with np.errstate(all="ignore"):
                results = rule_for(node)(node, [operand for operand in operands if operand is not None])
        if results is None:
            results = bounded(node, shape)
        for name, found in zip(node.outputs, results or (), strict=False):
            known[name] = found.clamped(*node.clamp)
    return known


def _operand(graph: Graph, known: Mapping[str, Moments], name: str) -> Moments | None:
    data = graph.tensors[name].data
    return known.get(name) if data is None else Moments.constant(data)


def _spread(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    along = (1, -1, *(1,) * (len(shape) - 2))
    return np.broadcast_to(values.reshape(along), shape)
