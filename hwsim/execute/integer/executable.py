"""Will a plan execute? What the datapath of each layer refuses is found here before any input, and without compiling."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwsim.errors import ExecutionError, HwsimError
from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.rescaling import (
    has_real_sums,
    is_moved_onto_output,
    leaves_raw,
    mean_counts,
    mean_ratio,
    operand_ratio,
    output_ratio,
    product_ratio,
    sum_ratios,
)
from hwsim.execute.integer.segment_scales import segment_scales
from hwsim.execute.integer.sparse import check_sparsity
from hwsim.graph import OPS, Graph, Work, runs_on_array
from hwsim.hardware.accelerator import Accelerator
from hwsim.numerics.formats import FloatFormat, IntFormat
from hwsim.numerics.multiplier import Multiplier
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.requantizer import SHIFT_ONLY
from hwsim.numerics.requantizers import definition
from hwsim.numerics.requantizers.power_of_two import exponents
from hwsim.numerics.vector import operators

PREFIX = "requantizer: "
SHOWN = 10


def check_executable(graph: Graph, accelerator: Accelerator) -> None:
    """Raise ExecutionError where a layer's multiplier or requantizer cannot compute the grids of ``graph``, or its
    weights break the sparsity that the machine relies on.

    Scales that are not known yet (a network priced without calibration) are taken for good ones.

    Args:
        graph: with grids.
        accelerator: the machine, with the registers and units of every layer.

    Raises:
        ExecutionError: the layers that are refused, with the reason and a way out; of very many the first ones.
    """
    layers_of: dict[str, list[str]] = {}
    for node in graph.nodes:
        problem = _problem(Layer.of(graph, node, accelerator, None), accelerator.array.adder_tree)
        if problem is not None:
            layers_of.setdefault(problem, []).append(node.name)
    lines = [f"{_named(names)}: {problem}" for problem, names in layers_of.items()]
    if len(lines) == 1:
        raise ExecutionError(f"{graph.name}: {lines[0]}")
    if lines:
        more = [f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
        text = "".join(f"\n  {line}" for line in (*lines[:SHOWN], *more))
        count = sum(map(len, layers_of.values()))
        raise ExecutionError(f"{graph.name}: {count} layers cannot be executed:{text}")


def _named(layers: list[str]) -> str:
    return f"layer {layers[0]!r}" + (f" and {len(layers) - 1} more" if len(layers) > 1 else "")


def _problem(layer: Layer, tree: int) -> str | None:
    """Return why the layer cannot be executed on an array with such an adder tree, without its name."""
    try:
        if runs_on_array(layer.graph, layer.node):
            _check_multiplier(layer)
            _check_segments(layer)
            _check_bias(layer)
            check_tree(layer, tree)
            check_sparsity(layer)
        if _is_requantized(layer):
            _check_requantizer(layer)
    except HwsimError as error:
        text = str(error)
        only_shifts = text.startswith(PREFIX) and layer.datapath.requantizer.scheme in SHIFT_ONLY
        way_out = ", or give the layer a requantizer that multiplies, as fixed_point" if only_shifts else ""
        return text.removeprefix(f"layer {layer.node.name!r}: ").removeprefix(PREFIX) + way_out
    return None


def _check_multiplier(layer: Layer) -> None:
    multiplier = Multiplier.parse(layer.datapath.multiplier)
    if multiplier.is_exact:
        return
    formats = layer.graph.tensors[layer.node.inputs[0]].quant, layer.graph.tensors[layer.node.inputs[1]].quant
    if all(grid is not None and grid.is_calibrated for grid in formats):
        multiplier.check(layer.entering(0), layer.entering(1))


def _check_segments(layer: Layer) -> None:
    """Sums of several segments need ratios that the scaler can express, and weights of which all are multiplied."""
    if layer.segments is None:
        return
    if layer.tensor(1).sparsity is not None and layer.datapath.sparsity is not None:
        raise ExecutionError(
            "its scales change along k, which an array for sparse weights does not follow; give the weights one scale per "
            'channel, or state sparsity = "dense" for this layer'
        )
    grids = [layer.graph.tensors[name].quant for name in layer.node.inputs[:2]]
    if all(grid is not None and grid.is_calibrated for grid in grids):
        segment_scales(layer)


def _check_bias(layer: Layer) -> None:
    """A real bias, beside floating-point activations, joins floating-point sums only."""
    bias = layer.tensor(2).quant if layer.has_input(2) else None
    if bias is not None and isinstance(bias.format, FloatFormat) and not layer.datapath.mac.is_floating:
        raise ExecutionError(
            f"its bias is a number of {bias.format}, which integer sums do not take; use a machine with "
            "datapath.mac = floating:..., or quantize its input to integers"
        )


def check_tree(layer: Layer, tree: int) -> None:
    """Raise ExecutionError for a tree of floating-point products, whose rounding is not defined."""
    if layer.datapath.mac.is_floating and tree != 1:
        raise ExecutionError(
            f"layer {layer.node.name!r}: array.adder_tree must be 1 with datapath.mac = {layer.datapath.mac}, not {tree}: how a "
            "tree of floating-point products rounds is not defined"
        )


def _is_requantized(layer: Layer) -> bool:
    """Whether the machine's requantizer makes the results: not where they stay real, are moved, or are a runtime's own."""
    graph, node = layer.graph, layer.node
    if OPS[node.op].work is Work.GEMM:
        grid = graph.tensors[node.outputs[0]].quant
        is_integer = runs_on_array(graph, node) and not layer.datapath.mac.is_floating and not has_real_sums(layer)
        return is_integer and grid is not None and isinstance(grid.format, IntFormat)
    return (
        node.op in _CHECKS
        and layer.is_coded
        and not layer.has_several_scales
        and node.op not in operators(layer.datapath.arithmetic)
    )


def _check_requantizer(layer: Layer) -> None:
    grids = [layer.graph.tensors[name].quant for name in (*layer.node.inputs, *layer.node.outputs) if name]
    if all(grid is not None and grid.is_calibrated for grid in grids):
        (_check_product if OPS[layer.node.op].work is Work.GEMM else _CHECKS[layer.node.op])(layer)
    elif layer.datapath.requantizer.scheme in SHIFT_ONLY:
        for grid in grids:
            _check_known(grid)


def _check_known(grid: QuantParams | None) -> None:
    """Where only shifts are left, scales that are known must be powers of two; then the rest can be chosen to be."""
    if grid is not None and grid.scale is not None:
        exponents(grid.scales().astype(np.float64))


def _check_scales(layer: Layer, scales: np.ndarray) -> None:
    unit = layer.requantizer
    scheme = definition(unit.scheme)
    made = scheme.constants(scales, unit)
    if hasattr(scheme, "check_zero_point"):
        for zero_point in layer.output_grid().zero_point:
            scheme.check_zero_point(made, zero_point)


def _check_product(layer: Layer) -> None:
    if not leaves_raw(layer):
        _check_scales(layer, np.ravel(output_ratio(layer)))


def _check_sum(layer: Layer) -> None:
    unit = layer.requantizer
    definition(unit.scheme).sum_constants(sum_ratios(layer), unit)


def _check_elementwise_product(layer: Layer) -> None:
    _check_scales(layer, np.atleast_1d(product_ratio(layer)))


def _check_concatenation(layer: Layer) -> None:
    for index in range(len(layer.node.inputs)):
        if is_moved_onto_output(layer, index):
            _check_scales(layer, np.array([operand_ratio(layer, index)]))


def _check_mean(layer: Layer) -> None:
    for count in mean_counts(layer):
        _check_scales(layer, mean_ratio(layer, count))


_CHECKS: dict[str, Callable[[Layer], None]] = {
    **dict.fromkeys(("Add", "Sub", "Sum"), _check_sum),
    "Mul": _check_elementwise_product,
    "Concat": _check_concatenation,
    **dict.fromkeys(("AveragePool", "GlobalAveragePool", "ReduceMean"), _check_mean),
}
