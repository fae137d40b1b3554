"""Scales of a matrix product that change outside of its sum over k: from row to row (tokens), head to head, column to column.

Such a scale leaves the sum over k, so that only what the finished sum is rescaled by depends on where it stands in the result.
Axis 0 of what the network computes holds images, which come and go: no static scale belongs to one of them.
"""

from __future__ import annotations

from hwsim.graph.graph import Graph
from hwsim.graph.node import Node
from hwsim.numerics.granularity import Granularity
from hwsim.numerics.quant_params import QuantParams

IMAGES = 0


def axes_of(grid: Granularity) -> frozenset[int]:
    """Return the axes of a tensor along which its scales change; of blocks the one that is cut."""
    return frozenset(axis for axis in (grid.axis, grid.by) if axis is not None)


def operand_axes(graph: Graph, node: Node, index: int) -> frozenset[int] | None:
    """Return the axes of a MatMul's result along which scales of input ``index`` (0 or 1) change.

    Returns:
        The axes; empty where one scale serves all. None where scales do not leave the sum over k (they change along k or in
        blocks, or rows of the ifmap have zero points of their own), or change from image to image; for vectors, which have
        no rows or no columns; for other operators.
    """
    shapes = [graph.tensors[name].shape for name in node.inputs[:2]]
    tensor = graph.tensors[node.inputs[index]]
    params = tensor.quant
    if node.op != "MatMul" or params is None or min(map(len, shapes)) < 2:
        return None
    own, grid, rank = axes_of(params.granularity), params.granularity, max(map(len, shapes))
    k = len(shapes[index]) - (2 if index else 1)
    if grid.block is not None or k in own or (index == 0 and own and not _has_one_zero_point(params)):
        return None
    found = frozenset(axis + rank - len(shapes[index]) for axis in own)
    of_images = IMAGES in found or (IMAGES in own and not tensor.is_constant)
    return None if of_images else found


def _has_one_zero_point(params: QuantParams) -> bool:
    """Whether all rows have one: what several subtract is no constant of a column, which hardware adds once."""
    return len(set(params.zero_point)) == 1


def result_axes(graph: Graph, node: Node) -> frozenset[int] | None:
    """Return the axes of a MatMul's result along which its own scales change; None where images or blocks have their own."""
    shapes = [graph.tensors[name].shape for name in node.inputs[:2]]
    params = graph.tensors[node.outputs[0]].quant
    if params is None:
        return frozenset()
    if node.op != "MatMul" or min(map(len, shapes)) < 2 or params.granularity.block is not None:
        return None
    found = axes_of(params.granularity)
    return None if IMAGES in found else found


def rescaled_by_position(graph: Graph, node: Node) -> bool:
    """Whether what sums are rescaled by changes otherwise than a weight matrix ``[k, n]`` and a result's channels let it."""
    if node.op != "MatMul":
        return False
    last = len(graph.tensors[node.outputs[0]].shape) - 1
    is_batched = len(graph.tensors[node.inputs[1]].shape) > 2
    operands = operand_axes(graph, node, 0), operand_axes(graph, node, 1) if is_batched else None
    return any(operands) or bool((result_axes(graph, node) or frozenset()) - {last})
