"""Go through a quantized network layer by layer, beside its float network, and correct each product before what follows runs.

The quantized side is the truth of the machine: every operator runs in integers as ``hwsim.simulate`` runs it, with the
corrections made so far. A product's results before its clamp are those of its codes in exact arithmetic (decoded operands, the
float operator); what the machine's registers might lose there is not a property of the weights and is not corrected. With
``activations=False`` weights are quantized and activations stay real.

All images are held at once, one tensor after the other: as codes on one side and float32 on the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from hwsim.execute.float32 import FLOAT_OPS
from hwsim.execute.float32.activation import clamp
from hwsim.execute.float32.inputs import checked_inputs
from hwsim.graph import Graph, Node
from hwsim.hardware.accelerator import Accelerator
from hwsim.quantization.correct.biases import channel_axis, is_correctable, with_biases
from hwsim.quantization.correct.tweak import untweaked
from hwsim.quantization.state import State


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Statistics:
    """Mean and variance of a product's results before its clamp, float64 ``[channels]``, over images and positions."""

    mean: np.ndarray
    variance: np.ndarray


Values = dict[str, np.ndarray]
Correct = Callable[[Graph, Node, Statistics, Statistics], Graph]


def layer_by_layer(state: State, step: str, correct: Correct, *, activations: bool = True) -> Graph:
    """Return the graph that ``correct`` made, called for every correctable product in the order of execution.

    Args:
        state: quantized, with calibration images.
        step: the name that errors carry.
        correct: ``(graph, node, float statistics, quantized statistics) -> graph``; it may change this node's weight grid and
            bias only.
        activations: whether activations are quantized too.
    """
    images = state.images(step)
    graph = with_biases(state.graph)
    real = untweaked(graph)
    chunks = _chunks(graph, images)
    side: _Side = _Integers(graph, state.machine) if activations else _Decoded()
    truth = [checked_inputs(real, chunk) for chunk in chunks]
    seen = [side.started(graph, chunk) for chunk in chunks]
    for node, released in zip(graph.nodes, graph.released, strict=True):
        wanted = [_computed(real, node, values) for values in truth]
        if is_correctable(graph, node):
            found = [side.product(graph, node, values) for values in seen]
            graph = correct(graph, node, _statistics(node, [each[0] for each in wanted]), _statistics(node, found))
        operator = side.operator(graph, node)
        for values, results, simulated in zip(truth, wanted, seen, strict=True):
            values.update(zip(node.outputs, [clamp(each, *node.clamp) for each in results], strict=True))
            simulated.update(zip(node.outputs, operator(simulated), strict=True))
            for gone in released:
                del values[gone], simulated[gone]
    return graph


def mean_errors(state: State, *, activations: bool = True) -> dict[str, np.ndarray]:
    """Return the error of the mean of every correctable product, ``E[quantized] - E[float]``, float64 ``[channels]`` by node."""
    errors: dict[str, np.ndarray] = {}

    def measure(graph: Graph, node: Node, wanted: Statistics, found: Statistics) -> Graph:
        errors[node.name] = found.mean - wanted.mean
        return graph

    layer_by_layer(state, "mean errors", measure, activations=activations)
    return errors


def _chunks(graph: Graph, images: Mapping[str, np.ndarray]) -> list[Values]:
    from hwsim.simulation.inputs import chunks_of

    return chunks_of(graph, images)


def _computed(graph: Graph, node: Node, values: Values) -> list[np.ndarray]:
    """Return the results of a node in float32, before its clamp."""
    operands = [
        values[name] if graph.tensors[name].data is None else _data(graph, name) for name in node.inputs if name
    ]
    with np.errstate(all="ignore"):
        results: list[np.ndarray] = FLOAT_OPS[node.op](node, operands)
    return results


def _data(graph: Graph, name: str) -> np.ndarray:
    return np.asarray(graph.tensors[name].data)


def _statistics(node: Node, results: list[np.ndarray]) -> Statistics:
    """Return mean and variance per channel over all chunks."""
    rows = [np.moveaxis(each, channel_axis(node), 0).reshape(each.shape[channel_axis(node)], -1) for each in results]
    count = sum(each.shape[1] for each in rows)
    mean = np.sum([each.sum(axis=1, dtype=np.float64) for each in rows], axis=0) / count
    squares = [np.square(each - mean[:, None]).sum(axis=1) for each in rows]
    return Statistics(mean=mean, variance=np.sum(squares, axis=0) / count)


class _Side:
    """How the quantized network runs: its values by tensor name, one dictionary per chunk of images."""

    def started(self, graph: Graph, chunk: Values) -> Values:
        raise NotImplementedError

    def decoded(self, graph: Graph, name: str, values: Values) -> np.ndarray:
        """Return what a tensor stands for, as float32."""
        raise NotImplementedError

    def operator(self, graph: Graph, node: Node) -> Callable[[Values], list[np.ndarray]]:
        raise NotImplementedError

    def product(self, graph: Graph, node: Node, values: Values) -> np.ndarray:
        """Return the results of a product before its clamp, from what its operands stand for."""
        return self.float_results(graph, node, values)[0]

    def float_results(self, graph: Graph, node: Node, values: Values) -> list[np.ndarray]:
        """Return what the float operator makes of decoded operands, before the node's clamp."""
        operands = [self.decoded(graph, name, values) for name in node.inputs if name]
        with np.errstate(all="ignore"):
            results: list[np.ndarray] = FLOAT_OPS[node.op](node, operands)
        return results


class _Integers(_Side):
    """The integers of the machine."""

    def __init__(self, graph: Graph, machine: Accelerator) -> None:
        from hwsim.schedule import Options, schedule

        self.machine = machine
        self.mappings = schedule(graph, machine, Options()).mappings

    def started(self, graph: Graph, chunk: Values) -> Values:
        values = checked_inputs(graph, chunk)
        grids = {name: graph.tensors[name].quant for name in values}
        return {name: array if (grid := grids[name]) is None else grid.encode(array) for name, array in values.items()}

    def decoded(self, graph: Graph, name: str, values: Values) -> np.ndarray:
        tensor = graph.tensors[name]
        codes = values[name] if tensor.data is None else tensor.data if tensor.quant is None else tensor.encoded()
        return codes if tensor.quant is None else tensor.quant.decode(codes)

    def operator(self, graph: Graph, node: Node) -> Callable[[Values], list[np.ndarray]]:
        from hwsim.execute.integer.layer import Layer
        from hwsim.execute.integer.run import operator_of

        layer = Layer.of(graph, node, self.machine, self.mappings.get(node.name))
        constants = {
            name: tensor.data if tensor.quant is None else tensor.encoded()
            for name in node.inputs
            if name and (tensor := graph.tensors[name]).data is not None
        }
        run = operator_of(layer)
        return lambda values: run(
            layer, [constants[name] if name in constants else values[name] for name in node.inputs if name]
        )


class _Decoded(_Side):
    """Weights and biases as their codes stand for them, activations real."""

    def started(self, graph: Graph, chunk: Values) -> Values:
        return checked_inputs(graph, chunk)

    def decoded(self, graph: Graph, name: str, values: Values) -> np.ndarray:
        tensor = graph.tensors[name]
        if tensor.data is None:
            return values[name]
        return tensor.data if tensor.quant is None else tensor.quant.decode(tensor.encoded())

    def operator(self, graph: Graph, node: Node) -> Callable[[Values], list[np.ndarray]]:
        return lambda values: [clamp(each, *node.clamp) for each in self.float_results(graph, node, values)]
