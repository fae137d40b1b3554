"""Weights whose products ONNX Runtime adds wrongly on x86 processors without VNNI.

MLAS multiplies uint8 activations by int8 weights with ``vpmaddubsw`` there: the products of two neighbours along k are added
in 16 bits, and saturate. Two products of 8-bit weights can leave them, two of 7-bit weights cannot. Depthwise convolutions have
a kernel of their own, and other pairs of types are widened first.
"""

from __future__ import annotations

import numpy as np

from hwsim.graph import OPS, Graph, Node, Work, runs_on_array
from hwsim.numerics.formats import IntFormat

BYTE = 8
LOW, HIGH = -(1 << 15), (1 << 15) - 1


def layers_with_pairs_beyond(graph: Graph) -> tuple[str, ...]:
    """Return the layers in which two products of an output can leave 16 bits, whichever two are neighbours.

    >>> from hwsim.interchange.load import load
    >>> layers_with_pairs_beyond(load("digits_resnet"))
    ()
    """
    return tuple(node.name for node in graph.nodes if OPS[node.op].work is Work.GEMM and _is_beyond(graph, node))


def _is_beyond(graph: Graph, node: Node) -> bool:
    weight = graph.tensors[node.inputs[1]]
    ifmap = graph.tensors[node.inputs[0]].quant
    if not runs_on_array(graph, node) or ifmap is None or weight.quant is None or weight.data is None:
        return False
    x, w = ifmap.format, weight.quant.format
    if not (isinstance(x, IntFormat) and isinstance(w, IntFormat) and max(x.bits, w.bits) <= BYTE):
        return False
    if x.signed or not w.signed or node.op == "ConvTranspose" or not weight.quant.is_calibrated:
        return False
    columns = _columns(node, weight.encoded().astype(np.int64))
    if columns.shape[1] < 2:
        return False
    ordered = np.sort(columns, axis=1)
    least, most = (np.minimum(ordered[:, :2], 0).sum(axis=1), np.maximum(ordered[:, -2:], 0).sum(axis=1))
    return bool(x.maximum * least.min() < LOW or x.maximum * most.max() > HIGH)


def _columns(node: Node, codes: np.ndarray) -> np.ndarray:
    """Return the weights of each output as ``[outputs, k]``; none of a depthwise convolution."""
    if node.op == "Conv":
        return (
            codes[:0].reshape(0, 0)
            if codes.shape[1] == 1 < node.attributes["groups"]
            else codes.reshape(len(codes), -1)
        )
    return codes.swapaxes(-1, -2).reshape(-1, codes.shape[-2]) if codes.ndim > 1 else codes[None]
