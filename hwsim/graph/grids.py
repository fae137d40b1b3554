"""What grids mean to an operator: which hand theirs on, and which products an integer array can compute."""

from __future__ import annotations

from hwsim.graph.graph import Graph
from hwsim.graph.node import Node
from hwsim.graph.ops import OPS, Work
from hwsim.graph.partition import k_partition
from hwsim.graph.positions import result_axes
from hwsim.graph.tensor import Tensor


def passes_grid(node: Node) -> bool:
    """Whether the result has the grid of the first input: moves and selections of codes.

    An interpolation computes new values, and a pad value other than 0 may lie outside of the input's range.
    """
    if node.op == "Resize":
        return bool(node.attributes["mode"] == "nearest")
    if node.op == "Pad":
        return node.attributes["mode"] != "constant" or node.attributes["value"] == 0
    return OPS[node.op].same_grid


def out_axis(node: Node, weight: Tensor) -> int | None:
    """Return the output-channel axis of a weight, or None where weights are quantized with one scale.

    Conv ``[out, in/groups, h, w]``: 0. Gemm and a 2-D MatMul operand ``[k, n]``: 1. ConvTranspose ``[in, out/groups, h, w]``:
    1 without groups. A batched MatMul operand is given none.
    """
    if node.op == "Conv":
        return 0
    if node.op == "ConvTranspose":
        return 1 if node.attributes["groups"] == 1 else None
    return 1 if len(weight.shape) == 2 else None


def k_axis(node: Node, weight: Tensor) -> int:
    """Return the axis of a weight along which sparsity runs: input channels of a convolution, else k.

    Conv ``[out, in/groups, h, w]``: 1. ConvTranspose ``[in, out/groups, h, w]``: 0. Gemm and MatMul ``[..., k, n]``: -2.
    """
    if node.op == "Conv":
        return 1
    return 0 if node.op == "ConvTranspose" else max(len(weight.shape) - 2, 0)


def runs_on_array(graph: Graph, node: Node) -> bool:
    """Whether the operator is a product that the integer array computes.

    Both operands are on grids whose scales leave the sum over k, or cut it into segments (``k_partition``); those of the
    result change along its channels at most, of a MatMul along rows and heads too; a bias has a grid. What is not (a real-valued operand, scales that differ
    within a segment) is computed in float32 on the vector unit.
    """
    return OPS[node.op].work is Work.GEMM and why_real(graph, node) is None


def why_real(graph: Graph, node: Node) -> str | None:
    """Return why a product (an operator of ``Work.GEMM``) is computed in float32; None where the integer array computes it."""
    ifmap, weight = (graph.tensors[name] for name in node.inputs[:2])
    if ifmap.quant is None or weight.quant is None:
        return "an operand has no grid"
    if k_partition(graph, node) is None:
        return (
            f"the scales of its operands, {ifmap.quant.granularity} and {weight.quant.granularity}, neither leave the sum "
            "over k nor cut it into segments"
        )
    result = graph.tensors[node.outputs[0]]
    if result.quant is not None and result_axes(graph, node) is None and not _leaves_columns(node, result, weight):
        return f"the scales of its result, {result.quant.granularity}, change within a column"
    bias = node.inputs[2] if len(node.inputs) > 2 else ""
    return "its bias has no grid" if bias and graph.tensors[bias].quant is None else None


def _leaves_columns(node: Node, result: Tensor, weight: Tensor) -> bool:
    """Whether the scales of a product's result change along its output channels at most, if at all."""
    assert result.quant is not None
    grid = result.quant.granularity
    channels = 1 if node.op in ("Conv", "ConvTranspose") else len(result.shape) - 1
    has_channels = len(weight.shape) > 1  # a vector leaves none
    return grid.axis is None or (grid.axis == channels and has_channels and grid.block is None and grid.by is None)
