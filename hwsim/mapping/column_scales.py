"""Whether the output columns of a product have scales of their own."""

from __future__ import annotations

from hwsim.graph import Graph, Node, k_axis
from hwsim.numerics.granularity import PER_TENSOR

RAW_BITS = 32


def scales_columns(graph: Graph, node: Node) -> bool:
    """Whether columns differ by what they are rescaled: weights or results are quantized per output channel.

    Weight scales along k alone (groups that all columns share) are met on the way. Results of 32 bits and more without a zero
    point, quantized per column like their weights, are the sums themselves (ConvInteger) and are not rescaled.
    """
    weight, result = graph.tensors[node.inputs[1]], graph.tensors[node.outputs[0]].quant
    granularity = PER_TENSOR if weight.quant is None else weight.quant.granularity
    along_columns = granularity.axis is not None and (
        granularity.block is not None or granularity.by is not None or granularity.axis != k_axis(node, weight)
    )
    if result is None:
        return along_columns
    result_follows = result.granularity.axis is not None
    if result_follows and result.format.bits >= RAW_BITS and result.is_symmetric:
        return False
    return along_columns or result_follows
