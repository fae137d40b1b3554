"""The network: a dataflow graph of operators, a networkx MultiDiGraph inside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

import networkx as nx

from hwsim.errors import GraphError, did_you_mean
from hwsim.graph.node import Node
from hwsim.graph.ops import OPS
from hwsim.graph.tensor import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Graph:
    """A frozen dataflow graph, valid from birth; ``nodes`` are put in a topological order.

    Args:
        name: the model's name.
        nodes: operators in any order.
        tensors: every tensor by name.
        inputs: names of the tensors that the user supplies.
        outputs: names of the results.
        code_inputs: inputs whose arrays may be given as codes of their grid, because the model declares integers there.
        file_layouts: of inputs and outputs whose dimensions stand in another order in the file they came from:
            ``graph.shape[i]`` is ``file.shape[permutation[i]]``. Users give and get arrays as the file has them.
        notes: warnings of whoever made the graph, shown in reports (for example "weights are not trained").

    Raises:
        GraphError: a repeated name, a missing tensor, an unknown operator, two producers of a tensor, or a cycle.
    """

    name: str
    nodes: tuple[Node, ...]
    tensors: Mapping[str, Tensor]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    notes: tuple[str, ...] = ()
    code_inputs: tuple[str, ...] = ()
    file_layouts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "file_layouts", MappingProxyType(dict(self.file_layouts)))
        object.__setattr__(self, "tensors", MappingProxyType(dict(self.tensors)))
        self._check()
        try:
            order = list(nx.lexicographical_topological_sort(self.network, key=self._position))
        except nx.NetworkXUnfeasible:
            cycle = " -> ".join(edge[0] for edge in nx.find_cycle(self.network))
            raise GraphError(f"{self.name}: the operators form a cycle: {cycle}; a network must be acyclic") from None
        object.__setattr__(self, "nodes", tuple(self.node_of[name] for name in order))

    def _position(self, name: str) -> int:
        return self._positions[name]

    def _check(self) -> None:
        if len({node.name for node in self.nodes}) != len(self.nodes):
            raise GraphError(f"{self.name}: operator names must be unique")
        produced: set[str] = set()
        for node in self.nodes:
            if node.op not in OPS:
                raise GraphError(
                    f"{self.name}: node {node.name!r}: operator {node.op!r} is not supported{did_you_mean(node.op, OPS)}"
                )
            for name in (*filter(None, node.inputs), *node.outputs):
                if name not in self.tensors:
                    raise GraphError(f"{self.name}: node {node.name!r} names tensor {name!r}, which does not exist")
            for name in node.outputs:
                if name in produced or self.tensors[name].is_constant or name in self.inputs:
                    raise GraphError(
                        f"{self.name}: tensor {name!r} has two producers, the second is node {node.name!r}"
                    )
                produced.add(name)
        for node in self.nodes:
            for name in filter(None, node.inputs):
                if name not in produced and name not in self.inputs and not self.tensors[name].is_constant:
                    raise GraphError(
                        f"{self.name}: tensor {name!r} of node {node.name!r} is neither computed nor given"
                    )
        for name in self.outputs:
            if name not in produced and name not in self.inputs:
                raise GraphError(f"{self.name}: output {name!r} is not computed by any node")
        for name in self.code_inputs:
            if name not in self.inputs or self.tensors[name].quant is None:
                raise GraphError(f"{self.name}: input {name!r} takes codes, but is no input with a grid")

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {node.name: index for index, node in enumerate(self.nodes)}

    @cached_property
    def node_of(self) -> dict[str, Node]:
        """Operators by name."""
        return {node.name: node for node in self.nodes}

    @cached_property
    def producer_of(self) -> dict[str, Node]:
        """The operator that computes a tensor, by tensor name."""
        return {name: node for node in self.nodes for name in node.outputs}

    @cached_property
    def consumers_of(self) -> dict[str, tuple[Node, ...]]:
        """The operators that read a tensor, by tensor name (every tensor has an entry)."""
        readers: dict[str, list[Node]] = {name: [] for name in self.tensors}
        for node in self.nodes:
            for name in dict.fromkeys(filter(None, node.inputs)):
                readers[name].append(node)
        return {name: tuple(nodes) for name, nodes in readers.items()}

    @cached_property
    def released(self) -> tuple[tuple[str, ...], ...]:
        """By operator, in order: the computed or given tensors that nothing needs once it has run."""
        last: dict[str, int] = {}
        for index, node in enumerate(self.nodes):
            last.update(dict.fromkeys((*node.inputs, *node.outputs), index))
        kept = {"", *self.outputs, *(name for name, tensor in self.tensors.items() if tensor.is_constant)}
        return tuple(
            tuple(
                name
                for name in dict.fromkeys((*node.inputs, *node.outputs))
                if last[name] == index and name not in kept
            )
            for index, node in enumerate(self.nodes)
        )

    @cached_property
    def network(self) -> nx.MultiDiGraph:
        """The networkx view: nodes are operators, edges are tensors (attribute ``tensor``, key its name)."""
        network = nx.MultiDiGraph(name=self.name)
        for node in self.nodes:
            network.add_node(node.name, node=node)
        producer = {name: node for node in self.nodes for name in node.outputs}
        for node in self.nodes:
            for name in filter(None, node.inputs):
                if name in producer:
                    network.add_edge(producer[name].name, node.name, key=name, tensor=self.tensors[name])
        return network

    @property
    def is_quantized(self) -> bool:
        """Whether any tensor has a grid."""
        return any(tensor.quant is not None for tensor in self.tensors.values())

    @property
    def batch(self) -> int:
        """Size of dimension 0 of the first input."""
        return self.tensors[self.inputs[0]].shape[0]

    def with_changes(
        self,
        *,
        nodes: Iterable[Node] | None = None,
        tensors: Iterable[Tensor] = (),
        outputs: tuple[str, ...] | None = None,
        notes: Iterable[str] = (),
    ) -> Graph:
        """Return a copy with other nodes and some tensors replaced or added; tensors that nobody names are dropped."""
        kept = tuple(nodes) if nodes is not None else self.nodes
        merged = {**self.tensors, **{tensor.name: tensor for tensor in tensors}}
        results = outputs if outputs is not None else self.outputs
        named = {name for node in kept for name in (*node.inputs, *node.outputs)} | set(self.inputs) | set(results)
        return replace(
            self,
            nodes=kept,
            tensors={name: tensor for name, tensor in merged.items() if name in named},
            outputs=results,
            notes=(*self.notes, *notes),
        )
