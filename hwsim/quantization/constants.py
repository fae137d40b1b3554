"""Grids of what an operator reads beside activations: weight, bias, constant operands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph import Graph, Node, Tensor
from hwsim.graph.fusion import bias_format, bias_params
from hwsim.hardware.precision import LayerPrecision
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams
from hwsim.quantization.grid import params_of_ranges
from hwsim.quantization.prune import pattern_of, pruned
from hwsim.quantization.scheme import Scheme
from hwsim.quantization.weights import weight_params, widened_for_bias

WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
OPERAND_READERS = ("Add", "Sub", "Sum", "Mul", "Concat")


def constant_grids(
    graph: Graph, node: Node, grids: Mapping[str, QuantParams], scheme: Scheme
) -> dict[str, QuantParams]:
    """Return the grids of the weight, the bias and other constants that ``node`` reads, by tensor name."""
    precision = scheme.plan.for_layer(node.name)
    if node.op in WEIGHTED:
        if graph.tensors[node.inputs[1]].is_constant:
            return _weight_and_bias(graph, node, grids, precision, scheme)
        first = graph.tensors[node.inputs[0]]
        return {first.name: _operand_grid(first, precision, scheme)} if first.is_constant else {}
    found: dict[str, QuantParams] = {}
    for name in filter(None, node.inputs):
        tensor = graph.tensors[name]
        if tensor.is_constant and node.op in OPERAND_READERS:
            found[name] = _operand_grid(tensor, precision, scheme)
    return found


def bias_of(graph: Graph, node: Node) -> Tensor | None:
    """Return the constant that a product adds to its columns, or None."""
    return graph.tensors[node.inputs[2]] if len(node.inputs) > 2 and node.inputs[2] else None


def stood_for(tensor: Tensor) -> np.ndarray:
    """Return the real values of a constant: those of the integers that a step chose (a corrected bias), else its data."""
    if tensor.codes is None or tensor.quant is None:
        return np.asarray(tensor.data)
    return tensor.quant.decode(tensor.codes)


def on_grid(tensor: Tensor, grid: QuantParams) -> Tensor:
    """Return the tensor on another grid, where integers that a step chose stand for what they stood for."""
    if tensor.codes is None or tensor.quant == grid:
        return replace(tensor, quant=grid)
    return replace(tensor, quant=grid, codes=grid.encode(stood_for(tensor)))


def bias_grids(graph: Graph) -> dict[str, QuantParams]:
    """Return the bias grids that follow from the grids of ifmaps and weights as they now are.

    Raises:
        HwsimError: a bias, corrected where a step chose its codes, that codes of the new grid cannot hold.
    """
    found: dict[str, QuantParams] = {}
    for node in graph.nodes:
        bias = bias_of(graph, node) if node.op in WEIGHTED else None
        if bias is None or bias.quant is None:
            continue
        ifmap, weight = (graph.tensors[name].quant for name in node.inputs[:2])
        assert ifmap is not None
        assert weight is not None
        found[bias.name] = grid = bias_params(ifmap, weight, bias)
        if grid.scale is not None and isinstance(grid.format, IntFormat):
            largest = np.abs(stood_for(bias).astype(np.float64)) / grid.granularity.spread(grid.scales(), bias.shape)
            if largest.max(initial=0.0) > bias_format(ifmap, weight).maximum:
                raise HwsimError(
                    f"layer {node.name!r}: its bias needs {largest.max():.3g} steps of ifmap scale x weight scale, more "
                    f"than {grid.format} holds; widen the range of its input"
                )
    return found


def _weight_and_bias(
    graph: Graph, node: Node, grids: Mapping[str, QuantParams], precision: LayerPrecision, scheme: Scheme
) -> dict[str, QuantParams]:
    weight, bias = graph.tensors[node.inputs[1]], bias_of(graph, node)
    pattern = pattern_of(node, weight, precision)
    if pattern is not None:
        weight = replace(weight, data=pruned(node, weight, pattern))
    grid = weight_params(node, weight, precision, power_of_two=scheme.power_of_two)
    if bias is None:
        return {weight.name: grid}
    ifmap = grids[node.inputs[0]]
    grid = widened_for_bias(ifmap, grid, bias)
    return {bias.name: bias_params(ifmap, grid, bias), weight.name: grid}


def _operand_grid(tensor: Tensor, precision: LayerPrecision, scheme: Scheme) -> QuantParams:
    """A constant that stands where an activation could: on an asymmetric grid of the layer's activation width."""
    number = precision.activations
    if not isinstance(number, IntFormat):
        return QuantParams(format=number, scale=(1.0,), saturate=False)
    data = np.asarray(tensor.data)
    span = (float(data.min()), float(data.max()))
    return params_of_ranges([span], number, symmetric=False, power_of_two=scheme.power_of_two)
