"""Write back the activations that a quantizer absorbed into grids.

A grid whose smallest code stands for 0 clips what is negative, so that quantizers (ONNX Runtime's for one) drop a ReLU in
front of it, and a ReLU6 where the grid also ends at 6. The integers do not need it; the float network that they are compared
with does. Without it the reference would be another network.
"""

from __future__ import annotations

from hwsim.graph import OPS, Graph, Node, Tensor, Work
from hwsim.numerics.formats import IntFormat

SUMS = ("Add", "Sub", "Sum", "Mul")
SIX = 6.0


def absorbed_clamps(graph: Graph) -> Graph:
    """Return the graph with a clamp at 0 on every product and sum whose grid begins there; the integers stay."""
    return graph.with_changes(nodes=[_written(node, graph.tensors[node.outputs[0]]) for node in graph.nodes])


def _written(node: Node, result: Tensor) -> Node:
    if node.op not in SUMS and OPS[node.op].work is not Work.GEMM:
        return node
    grid = result.quant
    if grid is None or not grid.is_calibrated or not isinstance(grid.format, IntFormat) or len(grid.zero_point) != 1:
        return node
    if grid.zero_point[0] != grid.format.minimum:
        return node
    scale = float(grid.scales()[0])
    low, high = node.clamp
    is_six = abs(scale * (grid.format.maximum - grid.format.minimum) - SIX) < scale / 2
    return node.with_attributes(clamp=(0.0 if low is None else low, SIX if high is None and is_six else high))
