"""Grids of network inputs and of operator results."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from hwsim.errors import HwsimError
from hwsim.graph import Graph, Node, passes_grid
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams
from hwsim.quantization.grid import params_of_powers, params_of_ranges
from hwsim.quantization.ranges import Observation, estimator
from hwsim.quantization.scheme import Scheme


def activation_grids(graph: Graph, scheme: Scheme, seen: Mapping[str, Observation] | None) -> dict[str, QuantParams]:
    """Return the grid of every activation of a prepared network; without ``seen`` their widths only.

    Raises:
        HwsimError: a range that a grid cannot hold, in the name of layer and tensor.
    """
    grids: dict[str, QuantParams] = {}
    for name in graph.inputs:
        grids[name] = _grid(graph, name, name, scheme, seen)
    for node in graph.nodes:
        for name in node.outputs:
            grids[name] = _result_grid(graph, node, name, grids, scheme, seen)
    return grids


def _result_grid(
    graph: Graph,
    node: Node,
    name: str,
    grids: Mapping[str, QuantParams],
    scheme: Scheme,
    seen: Mapping[str, Observation] | None,
) -> QuantParams:
    return grids[node.inputs[0]] if passes_grid(node) else _grid(graph, name, node.name, scheme, seen)


def _grid(graph: Graph, tensor: str, layer: str, scheme: Scheme, seen: Mapping[str, Observation] | None) -> QuantParams:
    precision = scheme.plan.for_layer(layer)
    number = precision.activations
    if not isinstance(number, IntFormat):
        return QuantParams(format=number, scale=(1.0,), saturate=False)
    if is_boundary(graph, tensor) and number.bits < scheme.boundary_bits:
        number = IntFormat(bits=scheme.boundary_bits, signed=number.signed, narrow=number.narrow)
    if seen is None:
        return QuantParams(format=number)
    symmetric = precision.activation_symmetry == "symmetric"
    try:
        span = estimator(precision.activation_range)(seen[tensor], number, symmetric)
        if scheme.power_of_two and precision.activation_range == "mse":
            losses = partial(seen[tensor].distribution().squared_errors, number=number)
            return params_of_powers(*span, number, losses, symmetric=symmetric)
        return params_of_ranges([span], number, symmetric=symmetric, power_of_two=scheme.power_of_two)
    except HwsimError as error:
        raise HwsimError(f"layer {layer!r}, tensor {tensor!r}: {error}") from None


def is_boundary(graph: Graph, tensor: str) -> bool:
    """Whether the tensor is a network input, or reaches an output through operators that pass their grid on."""
    if tensor in graph.inputs or tensor in graph.outputs:
        return True
    return any(passes_grid(node) and any(is_boundary(graph, name) for name in node.outputs) for node in graph.consumers_of[tensor])  # fmt: skip
