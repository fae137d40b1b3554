"""What post-training quantization decides before it looks at any value."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.graph import Graph
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.precision import PrecisionPlan
from hwsim.numerics.requantizer import SHIFT_ONLY

BOUNDARY_BITS = 8
DEFAULT_PLAN = PrecisionPlan()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """Formats, granularities and estimators of a network.

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


def shifts_only(graph: Graph, accelerator: Accelerator) -> bool:
    """Whether the requantizer of any layer can only shift, so that scales must be powers of two."""
    return any(accelerator.datapath_for(node.name).requantizer.scheme in SHIFT_ONLY for node in graph.nodes)


def scheme_for(
    graph: Graph, machine: Accelerator, plan: PrecisionPlan, *, boundary_bits: int = BOUNDARY_BITS
) -> tuple[Scheme, tuple[str, ...]]:
    """Return how ``graph`` is quantized for ``machine``, and notes: its scales are powers of two where a requantizer only shifts."""
    power_of_two = not graph.is_quantized and shifts_only(graph, machine)
    notes = ("scales are powers of two, because a layer's requantizer only shifts",) if power_of_two else ()
    return Scheme(plan=plan, boundary_bits=boundary_bits, power_of_two=power_of_two), notes
