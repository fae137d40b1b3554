"""Single layers, and the whole network."""

from __future__ import annotations

from hwsim.graph import OPS, Graph, Node, Work
from hwsim.quantization.constants import WEIGHTED
from hwsim.quantization.reconstruct.scopes.scope import Scope, in_order


def layers(graph: Graph) -> tuple[Scope, ...]:
    """Return every operator on its own, products together with the functions of one element that only they feed."""
    taken: set[str] = set()
    found = []
    for node in graph.nodes:
        if node.name not in taken:
            nodes = with_activations(graph, node) if node.op in WEIGHTED else [node]
            taken.update(member.name for member in nodes)
            found.append(Scope.of(graph, nodes))
    return in_order(graph, found)


def with_activations(graph: Graph, node: Node) -> list[Node]:
    """Return a node and the look-ups behind it, as long as nobody else reads in between."""
    chain = [node]
    while True:
        output = chain[-1].outputs[0]
        readers = graph.consumers_of[output]
        if output in graph.outputs or len(readers) != 1 or OPS[readers[0].op].work is not Work.TABLE:
            return chain
        chain.append(readers[0])


def net(graph: Graph) -> tuple[Scope, ...]:
    """Return the whole network as one scope."""
    return (Scope.of(graph, graph.nodes),)
