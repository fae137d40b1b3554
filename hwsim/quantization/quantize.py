"""Post-training quantization by the simulated-quantization rules of Nagel et al. 2021, section 2.3.

The float graph is prepared (batch normalization folded, clamps fused), calibrated, and every tensor gets its grid:

* weights per output channel or per tensor, biases as int32 at ``ifmap scale * weight scale``;
* one grid per operator result; what only moves or selects codes (reshapes, max pooling) passes its input's grid on;
* element-wise sums and concatenations read inputs on grids of their own and rescale them to the result's grid.

A scheme ends here as ``QuantParams`` on tensors: execution and cost read the grids and never the scheme's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph import Graph, Node, Tensor, passes_grid
from hwsim.graph.fusion import adopt, bias_params, fuse_clamp
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.precision import LayerPrecision, PrecisionPlan
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.requantizer import SHIFT_ONLY
from hwsim.quantization.calibrate import observe
from hwsim.quantization.grid import params_of_ranges
from hwsim.quantization.prune import pattern_of, pruned, with_patterns
from hwsim.quantization.ranges import Observation, estimator
from hwsim.quantization.transforms import fold_affine, own_constants
from hwsim.quantization.weights import weight_params, widened_for_bias

BOUNDARY_BITS = 8
DEFAULT_PLAN = PrecisionPlan()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """What post-training quantization decides.

    Args:
        plan: formats, granularity, symmetry and range estimator per layer. A layer's ``activations`` is the format in
            which its *result* leaves; a rule can also match a network input by its tensor name.
        boundary_bits: network inputs and outputs have at least this many bits (an image is 8-bit data, and ten logits
            on a 2-bit grid tie). Set it to 1 to quantize them like everything else.
        power_of_two: restrict every scale to powers of two, which a shift-only requantizer needs.
    """

    plan: PrecisionPlan = DEFAULT_PLAN
    boundary_bits: int = BOUNDARY_BITS
    power_of_two: bool = False


def prepare(graph: Graph) -> Graph:
    """Return the float graph with affines folded, clamps fused and constants unshared: what is calibrated, compared against and quantized.

    A graph that came quantized keeps its grids, see ``adopt``.
    """
    if graph.is_quantized:
        return adopt(graph)
    return own_constants(fuse_clamp(fold_affine(graph)))


def quantize(
    graph: Graph,
    scheme: Scheme,
    calibration: Mapping[str, np.ndarray] | None,
    *,
    seen: Mapping[str, Observation] | None = None,
) -> Graph:
    """Return the prepared graph with a grid on every tensor.

    Args:
        graph: a float graph, prepared or not (preparing twice changes nothing).
        scheme: formats and estimators.
        calibration: input arrays by name, ``[images, ...]``; None gives grids of known width and unknown scale, which
            can be priced but not executed.
        seen: what ``observe(prepare(graph), images)`` gave, instead of ``calibration``, where many schemes share it.

    Raises:
        HwsimError: a precision rule that matches nothing, a symmetric unsigned grid for negative values, a plan that states
            grids for a graph that came quantized.
    """
    ready = prepare(graph)
    if ready.is_quantized:
        _check_rules(ready, scheme.plan)
        keep_grids(ready, scheme.plan)
        return with_patterns(ready, scheme.plan)
    _check_rules(ready, scheme.plan)
    if seen is None and calibration is not None:
        seen = observe(ready, calibration)
    grids: dict[str, QuantParams] = {}
    for name in ready.inputs:
        grids[name] = _activation_grid(ready, name, name, scheme, seen)
    for node in ready.nodes:
        for index, name in enumerate(node.outputs):
            grids[name] = _output_grid(ready, node, index, grids, scheme, seen)
        grids.update(_constant_grids(ready, node, grids, scheme))
    tensors = [replace(ready.tensors[name], quant=params) for name, params in grids.items()]
    return with_patterns(ready.with_changes(tensors=tensors), scheme.plan, prune=True)


def keep_grids(graph: Graph, plan: PrecisionPlan) -> None:
    """Raise HwsimError where the plan states grids and the graph came with its own."""
    if graph.is_quantized and plan.states_grids:
        raise HwsimError(
            f"{graph.name} came quantized and keeps its own grids; leave out weights, activations, range, granularity and "
            "symmetry, or give the float model"
        )


def _check_rules(graph: Graph, plan: PrecisionPlan) -> None:
    known = [node.name for node in graph.nodes] + list(graph.inputs)
    unmatched = plan.unmatched(known)
    if unmatched:
        raise HwsimError(
            f"precision plan: no layer of {graph.name} matches {', '.join(map(repr, unmatched))}; "
            f"layers are {', '.join(known[:8])}{' ...' if len(known) > 8 else ''}"
        )


def _output_grid(
    graph: Graph,
    node: Node,
    index: int,
    grids: Mapping[str, QuantParams],
    scheme: Scheme,
    seen: Mapping[str, Observation] | None,
) -> QuantParams:
    if passes_grid(node):
        return grids[node.inputs[0]]
    return _activation_grid(graph, node.outputs[index], node.name, scheme, seen)


def _activation_grid(
    graph: Graph, tensor: str, layer: str, scheme: Scheme, seen: Mapping[str, Observation] | None
) -> QuantParams:
    precision = scheme.plan.for_layer(layer)
    number = precision.activations
    if _is_boundary(graph, tensor) and number.bits < scheme.boundary_bits:
        number = IntFormat(bits=scheme.boundary_bits, signed=number.signed, narrow=number.narrow)
    if seen is None:
        return QuantParams(format=number)
    observation = seen[tensor]
    symmetric = precision.activation_symmetry == "symmetric"
    try:
        span = estimator(precision.range)(observation, number, symmetric)
        return params_of_ranges([span], number, symmetric=symmetric, power_of_two=scheme.power_of_two)
    except HwsimError as error:
        raise HwsimError(f"layer {layer!r}, tensor {tensor!r}: {error}") from None


def _is_boundary(graph: Graph, tensor: str) -> bool:
    """Whether the tensor is a network input, or reaches an output through operators that pass their grid on."""
    if tensor in graph.inputs or tensor in graph.outputs:
        return True
    return any(passes_grid(node) and any(_is_boundary(graph, name) for name in node.outputs) for node in graph.consumers_of[tensor])  # fmt: skip


def _constant_grids(
    graph: Graph, node: Node, grids: Mapping[str, QuantParams], scheme: Scheme
) -> dict[str, QuantParams]:
    """Return the grids of the weight, the bias and other constants that ``node`` reads."""
    precision = scheme.plan.for_layer(node.name)
    found: dict[str, QuantParams] = {}
    if node.op in ("Conv", "ConvTranspose", "Gemm", "MatMul"):
        weight = graph.tensors[node.inputs[1]]
        if weight.is_constant:
            pattern = pattern_of(node, weight, precision)
            if pattern is not None:
                weight = replace(weight, data=pruned(node, weight, pattern))
            grid = weight_params(node, weight, precision, power_of_two=scheme.power_of_two)
            if len(node.inputs) > 2 and node.inputs[2]:
                bias = graph.tensors[node.inputs[2]]
                grid = widened_for_bias(grids[node.inputs[0]], grid, bias)
                found[bias.name] = bias_params(grids[node.inputs[0]], grid, bias)
            found[weight.name] = grid
        elif graph.tensors[node.inputs[0]].is_constant:
            found[node.inputs[0]] = _operand_grid(graph.tensors[node.inputs[0]], precision, scheme)
        return found
    for name in filter(None, node.inputs):
        tensor = graph.tensors[name]
        if tensor.is_constant and node.op in ("Add", "Sub", "Sum", "Mul", "Concat"):
            found[name] = _operand_grid(tensor, precision, scheme)
    return found


def _operand_grid(tensor: Tensor, precision: LayerPrecision, scheme: Scheme) -> QuantParams:
    """A constant that stands where an activation could: on an asymmetric grid of the layer's activation width."""
    number = precision.activations
    data = np.asarray(tensor.data)
    span = (float(data.min()), float(data.max()))
    return params_of_ranges([span], number, symmetric=False, power_of_two=scheme.power_of_two)


def shifts_only(graph: Graph, accelerator: Accelerator) -> bool:
    """Whether the requantizer of any layer can only shift, so that scales must be powers of two."""
    return any(accelerator.datapath_for(node.name).requantizer.scheme in SHIFT_ONLY for node in graph.nodes)
