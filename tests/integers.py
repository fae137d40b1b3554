"""Run a graph in integers the short way: scheduled, one Layer per operator, the codes of every tensor by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from hwsim.execute.integer import Layer, run_integer
from hwsim.execute.integer.product import ArrayProduct
from hwsim.graph import Graph
from hwsim.hardware import Accelerator
from hwsim.schedule import schedule

OnProduct = Callable[[Layer, ArrayProduct], None]


def layers_of(graph: Graph, machine: Accelerator, on_product: OnProduct | None = None) -> dict[str, Layer]:
    """Return the layers of ``graph`` by name."""
    mappings = schedule(graph, machine).mappings
    layers = {node.name: Layer.of(graph, node, machine, mappings.get(node.name)) for node in graph.nodes}
    return {name: replace(layer, on_product=on_product) for name, layer in layers.items()}


def every_tensor(
    graph: Graph,
    machine: Accelerator,
    inputs: Mapping[str, np.ndarray],
    *,
    on_product: OnProduct | None = None,
    layers: Mapping[str, Layer] | None = None,
) -> dict[str, np.ndarray]:
    """Return the codes of every activation by name; real values where it has no grid.

    Args:
        graph: with grids.
        machine: it runs on.
        inputs: real values by name, or codes where the graph takes them.
        on_product: called with each array layer and its product.
        layers: of an earlier call, where it matters what they keep.
    """
    found: dict[str, np.ndarray] = {}
    run_integer(graph, layers or layers_of(graph, machine, on_product), inputs, observe=found.__setitem__)
    return found
