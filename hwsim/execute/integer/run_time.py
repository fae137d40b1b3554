"""Grids whose zero point an inference computes itself: from then on they are grids like all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from hwsim.graph import Graph, Node, passes_grid
from hwsim.numerics.quant_params import QuantParams


def grids_found(
    graph: Graph, node: Node, operands: Sequence[np.ndarray], known: Mapping[str, QuantParams]
) -> dict[str, QuantParams]:
    """Return the grids of the node's results that this inference makes known.

    Args:
        graph: the network.
        node: about to be computed.
        operands: its codes; of a Reinterpret the second one is the zero point.
        known: grids that were found before; codes that are moved or selected keep theirs.
    """
    if node.op == "Reinterpret" and len(node.inputs) > 1:
        grid = graph.tensors[node.outputs[0]].quant
        assert grid is not None
        zero_point = (int(operands[1].reshape(())),)
        return {node.outputs[0]: replace(grid, zero_point=zero_point, is_found_at_run_time=False)}
    if node.inputs[0] in known and passes_grid(node):
        return dict.fromkeys(node.outputs, known[node.inputs[0]])
    return {}
