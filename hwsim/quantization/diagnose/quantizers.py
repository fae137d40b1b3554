"""The quantizers of a network, each of which can be switched off: its tensors are then real numbers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from hwsim.graph import OPS, Graph, Node, Tensor, Work, passes_grid
from hwsim.quantization.constants import bias_of

Kind = Literal["weights", "activations"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantizer:
    """A grid that was chosen, and the tensors that are on it.

    Args:
        layer: whose weights or result; of a network input its name.
        kind: ``weights``, or ``activations`` for results and network inputs.
        tensor: the weight, the result or the input.
        followers: tensors that have the grid because of it: what only moves the result, constant operands of an addition.
        format: of the codes.
    """

    layer: str
    kind: Kind
    tensor: str
    followers: tuple[str, ...]
    format: str

    @property
    def tensors(self) -> tuple[str, ...]:
        """Everything that is real once the quantizer is off."""
        return (self.tensor, *self.followers)


def quantizers_of(graph: Graph) -> tuple[Quantizer, ...]:
    """Return the quantizers of a graph with grids, in the order in which their values arise."""
    found = [
        _quantizer(graph, name, "activations", name, _moved(graph, name))
        for name in graph.inputs
        if graph.tensors[name].quant is not None
    ]
    for node in graph.nodes:
        weight = _weight(graph, node)
        if weight is not None:
            found.append(_quantizer(graph, node.name, "weights", weight.name, []))
        if passes_grid(node):
            continue
        operands = [] if OPS[node.op].work is Work.GEMM else _operands(graph, node)
        for place, name in enumerate(node.outputs):
            if graph.tensors[name].quant is not None:
                followers = _moved(graph, name) + (operands if place == 0 else [])
                found.append(_quantizer(graph, node.name, "activations", name, followers))
    return tuple(found)


def only(graph: Graph, kept: Collection[Quantizer]) -> Graph:
    """Return the graph with the grids of ``kept`` alone; everything else is real.

    The bias of a product keeps its integers where the operands that give it its unit keep theirs. A bias whose integers a step
    chose is corrected for the codes of its layer's weight: beside these it is real and stays corrected, beside real weights it is
    the bias as it was.
    """
    names = {name for quantizer in kept for name in quantizer.tensors}
    corrected: dict[str, np.ndarray] = {}
    for node in graph.nodes:
        bias = bias_of(graph, node) if OPS[node.op].work is Work.GEMM else None
        if bias is None:
            continue
        if names.issuperset(node.inputs[:2]):
            names.add(bias.name)
        elif bias.codes is not None and bias.quant is not None and node.inputs[1] in names:
            corrected[bias.name] = bias.quant.decode(bias.codes)
    real = [
        replace(tensor, data=corrected.get(name, tensor.data), quant=None, codes=None, sparsity=None)
        for name, tensor in graph.tensors.items()
        if tensor.quant is not None and name not in names
    ]
    return graph.with_changes(tensors=real)


def _quantizer(graph: Graph, layer: str, kind: Kind, tensor: str, followers: list[str]) -> Quantizer:
    grid = graph.tensors[tensor].quant
    assert grid is not None
    return Quantizer(layer=layer, kind=kind, tensor=tensor, followers=tuple(followers), format=str(grid.format))


def _weight(graph: Graph, node: Node) -> Tensor | None:
    if OPS[node.op].work is not Work.GEMM:
        return None
    operands = [graph.tensors[name] for name in node.inputs[:2]]
    return next((tensor for tensor in operands if tensor.is_constant and tensor.quant is not None), None)


def _operands(graph: Graph, node: Node) -> list[str]:
    constants = [name for name in node.inputs if name and graph.tensors[name].is_constant]
    return [name for name in constants if graph.tensors[name].quant is not None]


def _moved(graph: Graph, tensor: str) -> list[str]:
    """Return the tensors that have the grid of ``tensor`` because their operators only move codes."""
    found: list[str] = []
    waiting = [tensor]
    while waiting:
        name = waiting.pop()
        for reader in graph.consumers_of[name]:
            if passes_grid(reader) and reader.inputs[0] == name:
                found += reader.outputs
                waiting += reader.outputs
    return found
