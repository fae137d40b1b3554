"""Post-training quantization by the simulated-quantization rules of Nagel et al. 2021, section 2.3.

The float graph is prepared (batch normalization folded, clamps fused), calibrated, and every tensor gets its grid:

* weights per output channel, per tensor or per group of k, biases as int32 at ``ifmap scale * weight scale``;
* one grid per operator result; what only moves or selects codes (reshapes, max pooling) passes its input's grid on;
* element-wise sums and concatenations read inputs on grids of their own and rescale them to the result's grid.

A scheme ends here as ``QuantParams`` on tensors: execution and cost read the grids and never the scheme's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph import Graph
from hwsim.hardware.precision import PrecisionPlan
from hwsim.numerics.quant_params import QuantParams
from hwsim.quantization.activations import activation_grids
from hwsim.quantization.calibrate import needs_of, observe
from hwsim.quantization.constants import bias_grids, constant_grids, on_grid
from hwsim.quantization.prepare import prepare as prepare
from hwsim.quantization.prune import with_patterns
from hwsim.quantization.ranges import Observation
from hwsim.quantization.scheme import Scheme as Scheme


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
    _check_rules(ready, scheme.plan)
    if ready.is_quantized:
        keep_grids(ready, scheme.plan)
        return with_patterns(ready, scheme.plan)
    if seen is None and calibration is not None:
        seen = observe(ready, calibration, needs_of(ready, scheme.plan))
    grids = activation_grids(ready, scheme, seen)
    for node in ready.nodes:
        grids.update(constant_grids(ready, node, grids, scheme))
    return with_patterns(_with(ready, grids), scheme.plan, prune=True)


def with_activations(graph: Graph, scheme: Scheme, seen: Mapping[str, Observation]) -> Graph:
    """Return a quantized graph with other grids on its activations: weights keep theirs and their codes, biases follow.

    Args:
        graph: from ``quantize``.
        scheme: formats and estimators of the activations.
        seen: of its activations, for instance with quantized weights.
    """
    changed = _with(graph, activation_grids(graph, scheme, seen))
    return _with(changed, bias_grids(changed))


def with_decoded_weights(graph: Graph) -> Graph:
    """Return the float network that a quantized one simulates with its activations left real: constants hold what their codes stand for."""
    tensors = [
        replace(tensor, data=tensor.quant.decode(tensor.encoded()), codes=None, quant=None)
        if tensor.is_constant and tensor.quant is not None
        else replace(tensor, quant=None)
        for tensor in graph.tensors.values()
    ]
    return graph.with_changes(tensors=tensors)


def keep_grids(graph: Graph, plan: PrecisionPlan) -> None:
    """Raise HwsimError where the plan states grids and the graph came with its own."""
    if graph.is_quantized and plan.states_grids:
        raise HwsimError(
            f"{graph.name} came quantized and keeps its own grids; leave out weights, activations, range, granularity and "
            "symmetry, or give the float model"
        )


def _with(graph: Graph, grids: Mapping[str, QuantParams]) -> Graph:
    return graph.with_changes(tensors=[on_grid(graph.tensors[name], params) for name, params in grids.items()])


def _check_rules(graph: Graph, plan: PrecisionPlan) -> None:
    known = [node.name for node in graph.nodes] + list(graph.inputs)
    unmatched = plan.unmatched(known)
    if unmatched:
        raise HwsimError(
            f"precision plan: no layer of {graph.name} matches {', '.join(map(repr, unmatched))}; "
            f"layers are {', '.join(known[:8])}{' ...' if len(known) > 8 else ''}"
        )
