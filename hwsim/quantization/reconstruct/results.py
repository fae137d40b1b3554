"""Put what was learned into the graph: other tensors follow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hwsim.errors import HwsimError
from hwsim.graph import Graph, Tensor, passes_grid
from hwsim.graph.moves import moved_grid
from hwsim.quantization.constants import bias_grids, on_grid
from hwsim.quantization.reconstruct.parameters import Learned


def with_results(graph: Graph, learned: Iterable[Learned]) -> Graph:
    """Return the graph with the results of ``learned`` in it; moves pass grids on, and biases, also corrected ones, follow their products.

    Raises:
        HwsimError: a bias that its codes no longer hold, a grid that does not survive a move.
    """
    return settled(graph, [tensor for parameter in learned for tensor in parameter.results()])


def settled(graph: Graph, tensors: Iterable[Tensor]) -> Graph:
    """Return the graph with some tensors replaced and the grids that depend on them set again."""
    changed = list(tensors)
    regridded = [tensor for tensor in changed if tensor.quant != graph.tensors[tensor.name].quant]
    graph = graph.with_changes(tensors=changed)
    if not regridded:
        return graph
    names = {tensor.name for tensor in regridded if not tensor.is_constant}
    for node in graph.nodes:
        if not passes_grid(node) or node.inputs[0] not in names:
            continue
        source = graph.tensors[node.inputs[0]]
        results = [graph.tensors[name] for name in node.outputs]
        grid = moved_grid(node.op, node.attributes, source.quant, source.shape, results[0].shape)
        if grid == "lost":
            raise HwsimError(
                f"layer {node.name!r}: no grid describes its result when its input has scales per {source.quant}"
            )
        graph = graph.with_changes(tensors=[replace(result, quant=grid) for result in results])
        names.update(node.outputs)
    biases = [on_grid(graph.tensors[name], grid) for name, grid in bias_grids(graph).items()]
    return graph.with_changes(tensors=biases)
