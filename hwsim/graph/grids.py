"""What grids mean to an operator: which hand theirs on, and which products an integer array can compute."""

from __future__ import annotations

from hwsim.graph.graph import Graph
from hwsim.graph.node import Node
from hwsim.graph.ops import OPS, Work
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
    """Return the output-channel axis of a weight, or None where per-channel scales do not leave the sum over k.

    Conv ``[out, in/groups, h, w]``: 0. Gemm and a 2-D MatMul operand ``[k, n]``: 1. ConvTranspose ``[in, out/groups, h, w]``:
    1 without groups. A batched MatMul operand has none.
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

    Both operands are on grids whose scales leave the sum over k: one for the ifmap, one for the weight or one per output
    channel; a bias is constant. What is not (a real-valued operand, scales per block of k) is computed in float32 on the
    vector unit.
    """
    if OPS[node.op].work is not Work.GEMM:
        return False
    ifmap, weight = (graph.tensors[name] for name in node.inputs[:2])
    if ifmap.quant is None or weight.quant is None or ifmap.quant.granularity.axis is not None:
        return False
    axis = weight.quant.granularity.axis
    if axis is not None and (axis != out_axis(node, weight) or weight.quant.granularity.block is not None):
        return False
    bias = node.inputs[2] if len(node.inputs) > 2 else ""
    return not bias or graph.tensors[bias].quant is not None
