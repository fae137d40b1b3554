"""Fuse ReLU and Clip into the operator before them: a clamp at requantization (Nagel et al. 2021, section 2.3.2)."""

from __future__ import annotations

from dataclasses import replace

from hwsim.graph import OPS, Graph, Node, Work


def fuse_clamp(graph: Graph) -> Graph:
    """Return the graph with every ReLU or Clip fused into its producer, where that one requantizes anyway.

    A producer with other readers, one whose output is a result of the network, or one that passes its input's grid on
    (max pooling, reshapes) keeps the activation as a node of its own.
    """
    current = graph
    while True:
        pair = next(((first, second) for first in current.nodes if (second := _fusable(current, first))), None)
        if pair is None:
            return current
        first, second = pair
        fused = replace(first.with_attributes(clamp=_merged(first.clamp, _bounds(second))), outputs=second.outputs)
        nodes = [fused if node is first else node for node in current.nodes if node is not second]
        current = current.with_changes(nodes=nodes)


def _fusable(graph: Graph, first: Node) -> Node | None:
    spec = OPS[first.op]
    if spec.work not in (Work.GEMM, Work.INTEGER) or spec.same_grid:
        return None
    output = first.outputs[0]
    readers = graph.consumers_of[output]
    if output in graph.outputs or len(readers) != 1 or readers[0].op not in ("Relu", "Clip"):
        return None
    if graph.tensors[output].quant is not None:  # codes are clipped before the activation: two roundings, not one
        return None
    return readers[0]


def _bounds(node: Node) -> tuple[float | None, float | None]:
    if node.op == "Relu":
        return 0.0, None
    return node.attributes["minimum"], node.attributes["maximum"]


def _merged(
    first: tuple[float | None, float | None], second: tuple[float | None, float | None]
) -> tuple[float | None, float | None]:
    """Return the clamp that applies ``first`` and then ``second``; each end of the second wins where it is tighter."""
    (low, high), (then_low, then_high) = first, second

    def apply(value: float | None, default: float | None) -> float | None:
        if value is None:
            return default
        value = value if then_low is None else max(value, then_low)
        return value if then_high is None else min(value, then_high)

    return apply(low, then_low), apply(high, then_high)
