"""A float graph while its constants change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hwsim.errors import GraphError
from hwsim.graph import Graph, Node, Tensor
from hwsim.quantization.transforms.own_constants import own_constants


class Draft:
    """Nodes and constants of a float graph, changed in float64 and stored as float32 once, by ``finish``.

    Raises:
        GraphError: a graph with grids, whose codes would no longer stand for its weights.
    """

    def __init__(self, graph: Graph) -> None:
        if graph.is_quantized:
            raise GraphError(f"{graph.name}: has grids already; transform the float network before it is quantized")
        self.graph = own_constants(graph)
        self.nodes: dict[str, Node] = dict(self.graph.node_of)
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._data: dict[str, np.ndarray] = {}

    def data(self, name: str) -> np.ndarray:
        """Return a constant as float64."""
        if name in self._data:
            return self._data[name]
        return np.asarray(self.graph.tensors[name].data, dtype=np.float64)

    def put(self, name: str, data: np.ndarray) -> None:
        """Set a constant; integers stay integers."""
        self._data[name] = data

    def operand(self, node: str, place: int, change: Callable[[np.ndarray], np.ndarray]) -> None:
        """Change the constant that ``node`` reads at ``place``."""
        name = self.nodes[node].inputs[place]
        self.put(name, change(self.data(name)))

    def bias(self, node: str, length: int, change: Callable[[np.ndarray], np.ndarray]) -> None:
        """Change the third operand of ``node``, float64 ``[length]``; one that it lacks is 0, and made where it becomes more."""
        inputs = self.nodes[node].inputs
        if len(inputs) > 2 and inputs[2]:
            before = np.broadcast_to(self.data(inputs[2]).reshape(-1), (length,))
            self.put(inputs[2], change(before))
            return
        made = change(np.zeros(length))
        if made.any():
            name = self.unused(f"{node}.bias")
            self.put(name, made)
            self.nodes[node] = replace(self.nodes[node], inputs=(*inputs[:2], name))

    def unused(self, name: str) -> str:
        """Return ``name``, or one like it that no tensor and no node has."""
        taken = {*self.graph.tensors, *self._data, *self.shapes, *self.nodes}
        return next(text for text in (name, *(f"{name}.{i}" for i in range(2, len(taken) + 3))) if text not in taken)

    def finish(self) -> Graph:
        """Return the graph."""
        constants = [Tensor(name=name, shape=data.shape, data=_stored(data)) for name, data in self._data.items()]
        activations = [Tensor(name=name, shape=shape) for name, shape in self.shapes.items()]
        return self.graph.with_changes(nodes=self.nodes.values(), tensors=[*constants, *activations])


def _stored(data: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(data, dtype=data.dtype if data.dtype.kind == "i" else np.float32)
