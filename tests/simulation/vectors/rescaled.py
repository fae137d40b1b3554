"""One-layer networks whose scales change along k, with one scale for their results."""

from dataclasses import replace

from hwsim.graph.partition import k_partition
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR
from tests.execute.integer import segmented


def product(rng, op="Gemm", *, output="int8", **choices):
    """A drawn product of several segments; its result is on one grid, or real where ``output`` is empty."""
    graph = segmented.network(rng, op, **choices)
    while (partition := k_partition(graph, graph.nodes[0])) is None or partition.is_whole:
        graph = segmented.network(rng, op, **choices)
    y = graph.tensors["y"]
    if not output:
        return graph.with_changes(tensors=[replace(y, quant=None)])
    grid = replace(
        y.quant,
        format=IntFormat.parse(output),
        granularity=PER_TENSOR,
        scale=(0.07,),
        zero_point=(int(rng.integers(5)),),
    )
    return graph.with_changes(tensors=[replace(y, quant=grid)])
