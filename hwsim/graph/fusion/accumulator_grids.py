"""Let products whose only readers count thresholds leave the array as accumulators, so that integers are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hwsim.graph import OPS, Graph, Node, Tensor, Work, passes_grid, runs_on_array
from hwsim.graph.partition import k_partition
from hwsim.graph.positions import rescaled_by_position
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams

ACCUMULATOR = IntFormat(bits=32)


def accumulator_grids(graph: Graph) -> Graph:
    """Return the graph with an int32 grid on every real-valued array product that only MultiThresholds read.

    Moves between the product and the thresholds hand the grid on; with a scale per channel there must be none.
    """
    grids: dict[str, QuantParams] = {}
    for node in graph.nodes:
        if OPS[node.op].work is not Work.GEMM or not runs_on_array(graph, node):
            continue
        partition = k_partition(graph, node)
        if partition is None or not partition.is_whole or rescaled_by_position(graph, node):
            continue  # sums of rescaled segments, and those of each row or head, count in units of their own
        result = graph.tensors[node.outputs[0]]
        unit = _unit(graph, node)
        moved = _moved(graph, result.name)
        if result.quant is None and moved is not None and (unit.size == 1 or moved == [result.name]):
            axis = 1 if node.op in ("Conv", "ConvTranspose") else len(result.shape) - 1
            grid = QuantParams(
                format=ACCUMULATOR,
                scale=tuple(float(value) for value in unit),
                zero_point=(0,) * unit.size,
                granularity=PER_TENSOR if unit.size == 1 else Granularity(axis=axis),
            )
            grids.update(dict.fromkeys(moved, grid))
    tensors: Sequence[Tensor] = [replace(graph.tensors[name], quant=grid) for name, grid in grids.items()]
    return graph.with_changes(tensors=tensors) if tensors else graph


def _unit(graph: Graph, node: Node) -> np.ndarray:
    """Return the real value of one accumulator step, as float32 per output channel."""
    factors = []
    for name in node.inputs[:2]:
        grid = graph.tensors[name].quant
        assert grid is not None
        factors.append(grid.scales() if grid.format.unit == 1 else grid.scales() * np.float32(float(grid.format.unit)))
    product: np.ndarray = factors[0] * factors[1]
    return product


def _moved(graph: Graph, name: str) -> list[str] | None:
    """Return ``name`` and what moves make of it, if MultiThresholds are the only other readers; else None."""
    readers = graph.consumers_of[name]
    if name in graph.outputs or not readers:
        return None
    found = [name]
    for reader in readers:
        if reader.op == "MultiThreshold":
            continue
        if OPS[reader.op].work is not Work.MOVE or not passes_grid(reader):
            return None
        for output in reader.outputs:
            further = _moved(graph, output)
            if further is None:
                return None
            found += further
    return found
