"""Blocks: what a residual sum closes, depthwise-separable chains, and single layers between them (BRECQ, arXiv 2102.05426, section 3.2).

A block is found from the graph alone: it has one entry and one exit, so that everything inside of it is learned together
and nothing outside sees it halfway.
"""

from __future__ import annotations

import networkx as nx

from hwsim.graph import Graph, Node
from hwsim.quantization.reconstruct.scopes.layers import layers, with_activations
from hwsim.quantization.reconstruct.scopes.scope import Scope, in_order

_ENTRY = ""


def blocks(graph: Graph) -> tuple[Scope, ...]:
    """Return the blocks of a network, and single layers for the rest of it."""
    taken: set[str] = set()
    found = []
    for region in sorted(_residual_regions(graph), key=lambda scope: len(scope.nodes)):
        names = {node.name for node in region.nodes}
        if taken.isdisjoint(names):
            taken |= names
            found.append(region)
    rest = [scope for scope in layers(graph) if taken.isdisjoint(node.name for node in scope.nodes)]
    covered = taken | {node.name for scope in rest for node in scope.nodes}
    split = [Scope.of(graph, [node]) for node in graph.nodes if node.name not in covered]
    return in_order(graph, [*found, *_separable_chains(graph, rest), *split])


def _residual_regions(graph: Graph) -> list[Scope]:
    """Return what lies between a sum of two activations and the last operator that all paths to it pass, sum included."""
    network = nx.DiGraph(graph.network)
    network.add_edges_from(
        (_ENTRY, node.name) for node in graph.nodes if any(name in graph.inputs for name in node.inputs)
    )
    sums = [node for node in graph.nodes if node.op in ("Add", "Sum") and len(_activations(graph, node)) > 1]
    reachable = set(nx.descendants(network, _ENTRY)) if _ENTRY in network else set()
    dominators = nx.immediate_dominators(network, _ENTRY) if reachable else {}
    regions = []
    for node in sums:
        if node.name not in reachable:
            continue
        entry = dominators[node.name]
        between = nx.descendants(network, entry) & nx.ancestors(network, node.name)
        members = [graph.node_of[name] for name in between]
        scope = Scope.of(graph, [*members, *with_activations(graph, node)])
        if len(scope.inputs) == len(scope.outputs) == 1:
            regions.append(scope)
    return regions


def _activations(graph: Graph, node: Node) -> set[str]:
    return {name for name in node.inputs if name and not graph.tensors[name].is_constant}


def _separable_chains(graph: Graph, scopes: list[Scope]) -> list[Scope]:
    """Return the scopes with every depthwise convolution joined to the pointwise one behind it, and to one that expands for it."""
    reader = {scope.inputs[0]: scope for scope in scopes if len(scope.inputs) == 1}
    maker = {scope.outputs[0]: scope for scope in scopes if len(scope.outputs) == 1}
    chains: list[list[Scope]] = []
    used: set[str] = set()
    for scope in scopes:
        if not _is_convolution(graph, scope, depthwise=True) or scope.name in used:
            continue
        chain = [scope]
        before = maker.get(scope.inputs[0])
        if before is not None and _is_convolution(graph, before, depthwise=False) and _feeds_only(graph, before, scope):
            chain = [before, scope] if before.name not in used else chain
        after = reader.get(scope.outputs[0]) if len(scope.outputs) == 1 else None
        if after is not None and _is_convolution(graph, after, depthwise=False) and _feeds_only(graph, scope, after):
            chain.append(after)
        used.update(member.name for member in chain)
        chains.append(chain)
    joined = [Scope.of(graph, [node for scope in chain for node in scope.nodes]) for chain in chains]
    return [*joined, *(scope for scope in scopes if scope.name not in used)]


def _feeds_only(graph: Graph, first: Scope, second: Scope) -> bool:
    output = first.outputs[0]
    return output not in graph.outputs and graph.consumers_of[output] == (second.nodes[0],)


def _is_convolution(graph: Graph, scope: Scope, *, depthwise: bool) -> bool:
    head = scope.nodes[0]
    if head.op != "Conv" or len(scope.outputs) != 1:
        return False
    groups = head.attributes["groups"]
    if depthwise:
        return bool(groups > 1 and groups == graph.tensors[head.inputs[0]].shape[1])
    return bool(groups == 1 and tuple(head.attributes["kernel"]) == (1, 1))
