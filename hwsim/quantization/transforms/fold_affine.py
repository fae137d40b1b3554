"""Fold batch normalization and other channel affines into the weights (Nagel et al. 2021, section 2.3.1).

``W' = scale * W``, ``b' = scale * b + shift`` per output channel. Chains (BatchNormalization, Mul, Add, Sub) fold as one.
What has no convolution or Gemm before it (a pre-activation network) becomes a depthwise 1 x 1 convolution, which is the
same affine with weights that can be quantized.

What a normalization tells of its result is kept: the node's attribute ``normal`` is ``(mean, deviation)`` per output channel
before any clamp, two tuples of floats. Batch normalization makes channels of mean beta and deviation ``|gamma|``, which
data-free methods read (Nagel et al. 2019, arXiv 1906.04721).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from hwsim.graph import Graph, Node, Tensor
from hwsim.quantization.transforms.affine import Affine, activation_of, affine_of

_OUT_AXIS = {"Conv": 0, "Gemm": 1}


def fold_affine(graph: Graph) -> Graph:
    """Return the graph with every channel affine folded into a weight; the function is unchanged up to rounding."""
    nodes: list[Node] = []
    tensors: list[Tensor] = []
    swallowed: set[str] = set()
    for node in graph.nodes:
        if node.name in swallowed:
            continue
        head = node if _can_absorb(graph, node) else None
        first = affine_of(graph, node) if head is None else None
        chain = _chain(graph, node)
        if head is None and (first is None or not _is_affine_start(graph, node)):
            nodes.append(node)
            continue
        if head is not None and not chain:
            nodes.append(node)
            continue
        total = Affine(np.ones(1), np.zeros(1)) if first is None else first
        normal = None if first is None else _normalized(graph, node, first, None)
        for link in chain:
            step = affine_of(graph, link)
            assert step is not None
            total = step.after(total)
            normal = _normalized(graph, link, step, normal)
        swallowed |= {link.name for link in chain}
        output = (chain[-1] if chain else node).outputs
        folded, constants = _absorb(graph, node, total) if head is not None else _depthwise(graph, node, total)
        if normal is not None:
            folded = folded.with_attributes(normal=tuple(tuple(values.tolist()) for values in normal))
        nodes.append(replace(folded, outputs=output))
        tensors += constants
    return graph.with_changes(nodes=nodes, tensors=tensors)


def _normalized(
    graph: Graph, node: Node, step: Affine, before: tuple[np.ndarray, np.ndarray] | None
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return mean and deviation per channel behind ``node``, which computes ``step``; None where nothing tells."""
    if node.op == "BatchNormalization":
        gamma, beta = (np.asarray(graph.tensors[name].data, dtype=np.float64) for name in node.inputs[1:3])
        return beta, np.abs(gamma)
    return None if before is None else (step.scale * before[0] + step.shift, np.abs(step.scale) * before[1])


def _can_absorb(graph: Graph, node: Node) -> bool:
    return (
        node.op in _OUT_AXIS
        and graph.tensors[node.inputs[1]].is_constant
        and node.clamp == (None, None)
        and all(graph.tensors[name].is_constant for name in node.inputs[2:] if name)
    )


def _is_affine_start(graph: Graph, node: Node) -> bool:
    """Only a normalization or a chain of affines on an image is worth a layer of its own; a lone Add stays an Add."""
    rank = len(graph.tensors[node.outputs[0]].shape)
    return rank == 4 and (node.op == "BatchNormalization" or bool(_chain(graph, node)))


def _chain(graph: Graph, node: Node) -> list[Node]:
    """Return the channel affines that follow ``node`` with nobody else reading in between."""
    chain: list[Node] = []
    current = node
    while True:
        output = current.outputs[0]
        readers = graph.consumers_of[output]
        if len(readers) != 1 or output in graph.outputs or affine_of(graph, readers[0]) is None:
            return chain
        if activation_of(graph, readers[0]) != output:
            return chain
        current = readers[0]
        chain.append(current)


def _absorb(graph: Graph, node: Node, affine: Affine) -> tuple[Node, list[Tensor]]:
    weight = graph.tensors[node.inputs[1]]
    axis = _OUT_AXIS[node.op]
    assert weight.data is not None
    channels = weight.shape[axis]
    scale = np.broadcast_to(affine.scale, (channels,))
    along = [channels if dim == axis else 1 for dim in range(len(weight.shape))]
    bias = np.zeros(channels)
    if len(node.inputs) > 2 and node.inputs[2]:
        data = graph.tensors[node.inputs[2]].data
        assert data is not None
        bias = np.broadcast_to(np.asarray(data, dtype=np.float64).reshape(-1), (channels,))
    return _rebuilt(node, weight.data * scale.reshape(along), bias * scale + affine.shift, node.op, node.attributes)


def _depthwise(graph: Graph, node: Node, affine: Affine) -> tuple[Node, list[Tensor]]:
    activation = activation_of(graph, node)
    assert activation is not None
    attributes = {
        "kernel": (1, 1), "strides": (1, 1), "pads": (0, 0, 0, 0), "dilations": (1, 1), "groups": affine.scale.size,
    }  # fmt: skip
    source = replace(node, inputs=(activation,))
    return _rebuilt(source, affine.scale.reshape(-1, 1, 1, 1), affine.shift, "Conv", attributes)


def _rebuilt(
    node: Node, weight: np.ndarray, bias: np.ndarray, op: str, attributes: Mapping[str, Any]
) -> tuple[Node, list[Tensor]]:
    names = (f"{node.name}.folded_weight", f"{node.name}.folded_bias")
    constants = [
        Tensor(name=name, shape=tuple(data.shape), data=np.ascontiguousarray(data, dtype=np.float32))
        for name, data in zip(names, (weight, bias), strict=True)
    ]
    return replace(node, op=op, inputs=(node.inputs[0], *names), attributes=attributes), constants
