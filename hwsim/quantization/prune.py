"""Prune weights to N:M structured sparsity by magnitude, before they are quantized.

In every block of M weights along k (of a convolution: M input channels at one kernel position) the N of largest magnitude
stay: the one-shot rule of Mishra et al., arXiv:2104.08378, section 4, without retraining. The weights' grid is estimated
on what stays. The pruned integers become the tensor's codes, while its ``data`` stays dense, so that errors are measured
against the network as it came.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph import OPS, Graph, Node, Tensor, Work, k_axis
from hwsim.hardware.precision import LayerPrecision, PrecisionPlan
from hwsim.numerics.sparsity import Sparsity


def pattern_of(node: Node, weight: Tensor, precision: LayerPrecision) -> Sparsity | None:
    """Return the pattern stated for a layer's constant weight, None where dense.

    Raises:
        HwsimError: k (the input channels of a group) is not whole blocks, or the weights' zero point need not be 0.
    """
    pattern = precision.pattern
    if pattern is None:
        return None
    groups = node.attributes.get("groups", 1) if node.op == "ConvTranspose" else 1
    along = weight.shape[k_axis(node, weight)] // groups
    if along % pattern.block:
        what = "k" if node.op in ("Gemm", "MatMul") else "the input channels of a group"
        raise HwsimError(
            f"layer {node.name!r}: sparsity {pattern} needs whole blocks of {pattern.block} along {what}, which are {along}; "
            f'state sparsity = "dense" for this layer'
        )
    zero_points = (0,) if weight.quant is None else weight.quant.zero_point
    if any(zero_points) or (weight.quant is None and precision.weight_symmetry != "symmetric"):
        raise HwsimError(
            f"layer {node.name!r}: sparsity {pattern} needs weights whose code 0 is zero; quantize them with weight_symmetry = "
            f'"symmetric", or state sparsity = "dense" for this layer'
        )
    return pattern


def pruned(node: Node, weight: Tensor, pattern: Sparsity) -> np.ndarray:
    """Return the weight's real values with all but the largest of every block set to zero."""
    return pattern.pruned(np.asarray(weight.data), k_axis(node, weight))


def with_patterns(graph: Graph, plan: PrecisionPlan, *, prune: bool = False) -> Graph:
    """Return the quantized graph with the plan's patterns on its weights.

    Args:
        graph: with a grid on every weight.
        plan: says which layers.
        prune: make the codes obey (where the grid is calibrated); otherwise they are said to, and execution checks it.
    """
    marked = []
    for node in graph.nodes:
        weight = graph.tensors[node.inputs[1]] if OPS[node.op].work is Work.GEMM else None
        if weight is None or not weight.is_constant or weight.quant is None:
            continue
        pattern = pattern_of(node, weight, plan.for_layer(node.name))
        if pattern is None:
            continue
        codes = weight.codes
        if prune and weight.quant.is_calibrated:
            codes = weight.quant.encode(pruned(node, weight, pattern)).astype(weight.quant.storage_dtype, copy=False)
        marked.append(replace(weight, codes=codes, sparsity=pattern))
    return graph.with_changes(tensors=marked) if marked else graph
