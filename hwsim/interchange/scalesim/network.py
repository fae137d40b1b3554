"""A topology as a network: layers that do not feed one another, each with an input of its own and drawn weights.

Output sizes are those of SCALE-Sim, rounded up: where the last windows leave the image, it is padded with zeros at the bottom
and at the right, so that the same windows are computed. The padding is multiplied as SCALE-Sim multiplies it, but is neither
stored nor loaded; a note of the graph names the layers. The right operand of a matrix product is taken as constant.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from hwsim.graph import Graph, Node, Tensor
from hwsim.interchange.scalesim.layer import ScaleSimLayer
from hwsim.interchange.scalesim.topology import Topology, read_topology
from hwsim.zoo.draw import filters, stream


def read_scalesim(path: str | Path, *, batch: int = 1, seed: int = 0) -> Graph:
    """Read a topology file as a graph of ``Conv`` and ``MatMul`` nodes.

    Args:
        path: the ``.csv`` file.
        batch: images per inference.
        seed: of the drawn weights.

    Raises:
        GraphError: a missing or broken file.
    """
    return network_of(read_topology(path), batch=batch, seed=seed)


def network_of(topology: Topology, *, batch: int = 1, seed: int = 0, drawn: bool = True) -> Graph:
    """Return the graph of a topology; layers of one name get a number behind it.

    Args:
        topology: the layers.
        batch: images per inference.
        seed: of the drawn weights.
        drawn: whether there are weights. Without, they are zeros that take no memory: enough for a price.
    """
    seen: Counter[str] = Counter()
    nodes: list[Node] = []
    tensors: list[Tensor] = []
    padded: list[str] = []
    for layer in topology.layers:
        seen[layer.name] += 1
        name = layer.name if seen[layer.name] == 1 else f"{layer.name}#{seen[layer.name]}"
        node, operands = (_matmul if layer.is_gemm else _conv)(layer, name, batch, seed if drawn else None)
        nodes.append(node)
        tensors += operands
        if any(layer.overhang):
            padded.append(f"{name} {layer.overhang[0]} x {layer.overhang[1]}")
    return Graph(
        name=topology.name,
        nodes=tuple(nodes),
        tensors={tensor.name: tensor for tensor in tensors},
        inputs=tuple(node.inputs[0] for node in nodes),
        outputs=tuple(node.outputs[0] for node in nodes),
        notes=_notes(topology, padded, seed if drawn else None),
    )


def _notes(topology: Topology, padded: list[str], seed: int | None) -> tuple[str, ...]:
    weights = "zeros" if seed is None else f"drawn from seed {seed}"
    notes = [f"a SCALE-Sim topology: layers do not feed one another, and weights are {weights}"]
    if padded:
        notes.append(
            "SCALE-Sim rounds output sizes up; these layers are padded with zeros below and at the right, so that the same "
            f"windows are computed: {', '.join(padded)}"
        )
    if topology.states_sparsity:
        notes.append("the topology's ratios of sparsity are left out, as SCALE-Sim does without SparsitySupport")
    return tuple(notes)


def _conv(layer: ScaleSimLayer, name: str, batch: int, seed: int | None) -> tuple[Node, list[Tensor]]:
    weights = _filters((layer.filters, layer.channels, layer.filter_height, layer.filter_width), layer.k, name, seed)
    shapes = (
        (batch, layer.channels, layer.ifmap_height, layer.ifmap_width),
        (batch, layer.filters, layer.ofmap_height, layer.ofmap_width),
    )
    attributes = {
        "kernel": (layer.filter_height, layer.filter_width),
        "strides": (layer.stride, layer.stride),
        "pads": (0, 0, *layer.overhang),
        "dilations": (1, 1),
        "groups": 1,
    }
    return _layer(name, "Conv", shapes, weights, attributes)


def _matmul(layer: ScaleSimLayer, name: str, batch: int, seed: int | None) -> tuple[Node, list[Tensor]]:
    weights = _filters((layer.n, layer.k), layer.k, name, seed).T
    return _layer(name, "MatMul", ((batch, layer.m, layer.k), (batch, layer.m, layer.n)), weights, {})


def _filters(shape: tuple[int, ...], fan_in: int, name: str, seed: int | None) -> np.ndarray:
    return np.broadcast_to(np.float32(0), shape) if seed is None else filters(shape, fan_in, stream(seed, name))


def _layer(
    name: str,
    op: str,
    shapes: tuple[tuple[int, ...], tuple[int, ...]],
    weights: np.ndarray,
    attributes: dict[str, object],
) -> tuple[Node, list[Tensor]]:
    ifmap, weight, ofmap = (f"{name}.{operand}" for operand in ("ifmap", "filter", "ofmap"))
    node = Node(name=name, op=op, inputs=(ifmap, weight), outputs=(ofmap,), attributes=attributes)
    return node, [
        Tensor(name=ifmap, shape=shapes[0]),
        Tensor(name=weight, shape=weights.shape, data=weights),
        Tensor(name=ofmap, shape=shapes[1]),
    ]
