"""The scales of smoothing, and how well one serves the layers behind an edge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hwsim.execute.float32.registry import FLOAT_OPS
from hwsim.graph import Graph
from hwsim.hardware.precision import LayerPrecision
from hwsim.numerics.formats import IntFormat
from hwsim.quantization.grid import params_of_ranges
from hwsim.quantization.ranges import Observation, estimator
from hwsim.quantization.scheme import Scheme
from hwsim.quantization.transforms.channels import Channels
from hwsim.quantization.transforms.constants import change_operand
from hwsim.quantization.transforms.draft import Draft
from hwsim.quantization.transforms.edge_transform import EdgeTransform
from hwsim.quantization.transforms.region import Region
from hwsim.quantization.transforms.rules import GEMMS
from hwsim.quantization.transforms.weight_ranges import weight_columns
from hwsim.quantization.weights import weight_params


def products(graph: Graph, region: Region) -> tuple[tuple[str, str], ...]:
    """Return the layers with weights that absorb the scale of a region, with the tensor that each reads."""
    return tuple((name, tensor) for name, tensor in region.readers if graph.node_of[name].op in GEMMS)


def weight_peaks(draft: Draft, region: Region) -> np.ndarray:
    """Return the largest weight that meets each channel of a region, ``[channels]``."""
    return np.max([
        _per_channel(weight_columns(draft.nodes[name], draft.data(draft.nodes[name].inputs[1])), region.tensors[tensor])
        for name, tensor in products(draft.graph, region)
    ], axis=0)  # fmt: skip


def activation_peaks(values: np.ndarray, channels: Channels) -> np.ndarray:
    """Return the largest magnitude in each channel of an activation, ``[channels]``."""
    along = np.abs(np.moveaxis(values, channels.axis, 0))
    return _per_channel(along.reshape(along.shape[0], -1).max(axis=1), channels)


def smooth_scale(activation: np.ndarray, weight: np.ndarray, alpha: float) -> np.ndarray:
    """Return ``max|X_j| ** alpha / max|W_j| ** (1 - alpha)`` per channel, 1 for a channel without values or weights.

    >>> smooth_scale(np.array([16.0, 4.0, 0.0]), np.array([1.0, 1.0, 1.0]), 0.5).tolist()
    [4.0, 2.0, 1.0]
    """
    alive = (activation > 0) & (weight > 0)
    powers = np.where(alive, activation, 1.0) ** alpha / np.where(alive, weight, 1.0) ** (1 - alpha)
    scale: np.ndarray = np.where(alive, powers, 1.0)
    return scale


def output_error(
    draft: Draft, region: Region, scale: np.ndarray, values: Mapping[str, np.ndarray], scheme: Scheme
) -> float:
    """Return the squared error of the layers behind an edge relative to their results, with operands on the scheme's grids.

    Args:
        draft: the network before this edge is scaled.
        region: of the edge.
        scale: float64 ``[channels]``.
        values: real values of the tensors that the layers read.
        scheme: formats and estimators.
    """
    total = 0.0
    graph = draft.graph
    for name, tensor in products(graph, region):
        node, channels = graph.node_of[name], region.tensors[tensor]
        constants = [draft.data(operand).astype(np.float32) for operand in draft.nodes[name].inputs[1:] if operand]
        trial = Draft(graph)
        trial.put(node.inputs[1], draft.data(node.inputs[1]))
        change = EdgeTransform.of(scale.size, scale=scale).repeated(channels.inner)
        change_operand(trial, name, change, channels)
        weight = replace(graph.tensors[node.inputs[1]], data=trial.data(node.inputs[1]).astype(np.float32))
        grid = weight_params(node, weight, scheme.plan.for_layer(name), power_of_two=scheme.power_of_two)
        producer = graph.producer_of[tensor].name
        smoothed = change.apply(values[tensor], channels.axis).astype(np.float32)
        entering = _on_grid(smoothed, scheme.plan.for_layer(producer), power_of_two=scheme.power_of_two)
        assert weight.data is not None
        wanted = FLOAT_OPS[node.op](node, [values[tensor], *constants])[0]
        found = FLOAT_OPS[node.op](node, [entering, grid.decode(grid.encode(weight.data)), *constants[1:]])[0]
        noise = np.square(found.astype(np.float64) - wanted).sum()
        total += float(noise / max(np.square(wanted, dtype=np.float64).sum(), np.finfo(np.float64).tiny))
    return total


def _on_grid(values: np.ndarray, precision: LayerPrecision, *, power_of_two: bool) -> np.ndarray:
    number = precision.activations
    if not isinstance(number, IntFormat):
        return values
    symmetric = precision.activation_symmetry == "symmetric"
    span = estimator(precision.activation_range)(Observation.of(values), number, symmetric)
    grid = params_of_ranges([span], number, symmetric=symmetric, power_of_two=power_of_two)
    return grid.decode(grid.encode(values))


def _per_channel(peaks: np.ndarray, channels: Channels) -> np.ndarray:
    """Elements of a flattened image count as their channel."""
    return np.asarray(peaks.reshape(-1, channels.inner).max(axis=1))
