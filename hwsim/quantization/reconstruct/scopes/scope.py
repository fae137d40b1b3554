"""A part of a network whose results are reconstructed as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hwsim.graph import Graph, Node, Tensor
from hwsim.quantization.constants import WEIGHTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Operators that are run together.

    Args:
        nodes: in a topological order.
        inputs: the activations that they read and do not compute.
        outputs: the activations that they compute and others read, or the network returns.
    """

    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @classmethod
    def of(cls, graph: Graph, nodes: Iterable[Node]) -> Scope:
        """Return the scope of some of the graph's operators, in any order."""
        inside = {node.name for node in nodes}
        ordered = tuple(node for node in graph.nodes if node.name in inside)
        made = [name for node in ordered for name in node.outputs]
        read = dict.fromkeys(name for node in ordered for name in node.inputs if name)
        return cls(
            nodes=ordered,
            inputs=tuple(name for name in read if name not in made and not graph.tensors[name].is_constant),
            outputs=tuple(name for name in made if _leaves(graph, name, inside)),
        )

    @property
    def name(self) -> str:
        """The name of its last operator."""
        return self.nodes[-1].name


def _leaves(graph: Graph, tensor: str, inside: set[str]) -> bool:
    return tensor in graph.outputs or any(node.name not in inside for node in graph.consumers_of[tensor])


def weights_of(graph: Graph, scope: Scope) -> list[Tensor]:
    """Return the constant weights of a scope's products that are on calibrated grids."""
    found = [graph.tensors[node.inputs[1]] for node in scope.nodes if node.op in WEIGHTED]
    return [
        tensor for tensor in found if tensor.is_constant and tensor.quant is not None and tensor.quant.is_calibrated
    ]


def in_order(graph: Graph, scopes: Sequence[Scope]) -> tuple[Scope, ...]:
    """Return scopes so that each comes after those whose results it reads."""
    known = set(graph.inputs)
    waiting, ordered = list(scopes), []
    while waiting:
        ready = [scope for scope in waiting if known.issuperset(scope.inputs)]
        assert ready, "scopes must not read one another in a circle"
        ordered += ready
        known.update(name for scope in ready for name in scope.outputs)
        waiting = [scope for scope in waiting if scope not in ready]
    return tuple(ordered)
