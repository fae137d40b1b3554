"""Along which dimensions of a product the scales change that its finished sums are rescaled by."""

from __future__ import annotations

from math import prod
from typing import Any

from hwsim.graph import Graph, Node, k_axis
from hwsim.graph.positions import operand_axes, rescaled_by_position, result_axes
from hwsim.numerics.granularity import PER_TENSOR

RAW_BITS = 32


def output_scales(graph: Graph, node: Node, together: bool) -> dict[str, Any]:
    """Return ``scales_columns``, ``scales_rows`` and ``scales_groups`` of a Gemm; nothing where one scale serves all of it.

    Weight scales along k alone (groups that all columns share) are met on the way. Results of 32 bits and more without a zero
    point, quantized like their operands, are the sums themselves (ConvInteger) and are not rescaled.

    Args:
        graph: with grids.
        node: an array product.
        together: all rows meet one right operand, so that heads and images count as rows.
    """
    if not rescaled_by_position(graph, node):
        return {"scales_columns": True} if _columns_differ(graph, node) else {}
    if _leaves_sums(graph, node):
        return {}
    shape = graph.tensors[node.outputs[0]].shape
    found = (operand_axes(graph, node, 0), operand_axes(graph, node, 1), result_axes(graph, node))
    axes = {axis for one in found for axis in one or () if shape[axis] > 1}
    columns, row = len(shape) - 1, len(shape) - 2
    heads = axes - {columns, row}
    rows = {*heads, row} & axes if together else {row} & axes
    return {
        "scales_columns": columns in axes or weight_columns_differ(graph, node),
        "scales_rows": prod(shape[axis] for axis in rows),
        "scales_groups": bool(heads) and not together,
    }


def _columns_differ(graph: Graph, node: Node) -> bool:
    result = graph.tensors[node.outputs[0]].quant
    result_follows = result is not None and result.granularity.axis is not None
    return not _leaves_sums(graph, node) and (result_follows or weight_columns_differ(graph, node))


def _leaves_sums(graph: Graph, node: Node) -> bool:
    result = graph.tensors[node.outputs[0]].quant
    if result is None or result.granularity.axis is None:
        return False
    return result.format.bits >= RAW_BITS and result.is_symmetric


def weight_columns_differ(graph: Graph, node: Node) -> bool:
    """Whether a weight matrix or kernel has a scale per output channel, alone or beside groups of k."""
    weight = graph.tensors[node.inputs[1]]
    granularity = PER_TENSOR if weight.quant is None else weight.quant.granularity
    if granularity.axis is None or (node.op == "MatMul" and len(weight.shape) > 2):
        return False
    return granularity.block is not None or granularity.by is not None or granularity.axis != k_axis(node, weight)
