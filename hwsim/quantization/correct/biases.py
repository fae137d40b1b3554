"""Biases that a correction chose: integers of their own beside the float value, as rounding does with weights.

A bias keeps its float value in ``data``, which the float network reads, and gets ``codes`` on its grid, which the integers read. So a
second correction, or another one, still compares with the float network.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph import Graph, Node, Tensor
from hwsim.graph.fusion import bias_params
from hwsim.numerics.formats import IntFormat

BIASED = ("Conv", "ConvTranspose", "Gemm")


def is_correctable(graph: Graph, node: Node) -> bool:
    """Whether the node is a product with a constant weight on a calibrated grid, and has a place for a bias."""
    if node.op not in BIASED:
        return False
    ifmap, weight = (graph.tensors[name] for name in node.inputs[:2])
    if len(node.inputs) > 2 and node.inputs[2] and not graph.tensors[node.inputs[2]].is_constant:
        return False
    grids = (ifmap.quant, weight.quant)
    return weight.is_constant and all(grid is not None and grid.is_calibrated for grid in grids)


def channel_axis(node: Node) -> int:
    """Return the dimension of a product's results that counts output channels."""
    return -1 if node.op == "Gemm" else 1


def with_biases(graph: Graph) -> Graph:
    """Return the graph with a bias, one value per channel, on every product that can be corrected; new ones are 0."""
    nodes, tensors = [], []
    for node in graph.nodes:
        shape = graph.tensors[node.outputs[0]].shape
        old = graph.tensors[node.inputs[2]] if len(node.inputs) > 2 and node.inputs[2] else None
        if not is_correctable(graph, node) or (old is not None and old.shape == (shape[channel_axis(node)],)):
            nodes.append(node)
            continue
        values = np.zeros(1) if old is None else np.asarray(old.data).reshape(-1)
        data = np.array(np.broadcast_to(values, (shape[channel_axis(node)],)), dtype=np.float32)
        plain = Tensor(name=f"{node.name}.bias" if old is None else old.name, shape=data.shape, data=data)
        tensors.append(_on_grid(graph, node, plain))
        nodes.append(replace(node, inputs=(*node.inputs[:2], plain.name)))
    return graph.with_changes(nodes=nodes, tensors=tensors) if tensors else graph


def held(graph: Graph, node: Node) -> np.ndarray:
    """Return what the bias codes of a node of ``with_biases`` stand for, float64 ``[channels]``."""
    bias = graph.tensors[node.inputs[2]]
    assert bias.quant is not None
    return bias.quant.decode(bias.encoded()).astype(np.float64)


def with_bias(graph: Graph, node: Node, values: np.ndarray) -> Graph:
    """Return the graph with other bias codes on a node of ``with_biases``, on the grid that fits its operands as they are now.

    Args:
        graph: quantized.
        node: a product.
        values: float64 ``[channels]``.

    Raises:
        HwsimError: a value that the codes cannot hold.
    """
    bias = _on_grid(graph, node, graph.tensors[node.inputs[2]])
    assert bias.quant is not None
    number, steps = bias.quant.format, np.abs(values) / bias.quant.scales()
    if isinstance(number, IntFormat) and steps.max(initial=0.0) > number.maximum:
        raise HwsimError(
            f"layer {node.name!r}: its corrected bias needs {steps.max():.3g} steps of ifmap scale x weight scale, more than "
            f"{number} holds; use wider weights or activations there"
        )
    return graph.with_changes(tensors=[replace(bias, codes=bias.quant.encode(values))])


def _on_grid(graph: Graph, node: Node, bias: Tensor) -> Tensor:
    """Return the bias on the grid of its operands, without codes of its own."""
    ifmap, weight = (graph.tensors[name].quant for name in node.inputs[:2])
    assert ifmap is not None
    assert weight is not None
    return replace(bias, quant=bias_params(ifmap, weight, bias), codes=None)
