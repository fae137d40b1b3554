"""Give every reader of a shared constant its own name for it, so that each can have its own grid.

A bias is stored in units of its layer's ``ifmap scale * weight scale``, and a constant may be a weight here and an operand
of an addition there: one grid cannot serve both. The data are shared, not copied.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from hwsim.graph import Graph, Node, Tensor


def own_constants(graph: Graph) -> Graph:
    """Return the graph with every real-valued constant read in one place only; doing it twice changes nothing."""
    uses = Counter(name for node in graph.nodes for name in node.inputs if name)
    shared = {name for name, count in uses.items() if count > 1 and _is_real(graph.tensors[name])}
    if not shared:
        return graph
    copies: list[Tensor] = []

    def renamed(node: Node) -> Node:
        inputs = list(node.inputs)
        for index, name in enumerate(inputs):
            if name in shared:
                inputs[index] = f"{name}@{node.name}.{index}"
                copies.append(replace(graph.tensors[name], name=inputs[index]))
        return replace(node, inputs=tuple(inputs))

    nodes = [renamed(node) for node in graph.nodes]
    return graph.with_changes(nodes=nodes, tensors=copies)


def _is_real(tensor: Tensor) -> bool:
    return tensor.data is not None and np.issubdtype(tensor.data.dtype, np.floating)
