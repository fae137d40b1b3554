"""The step of a recipe that gives the first and the last layer another width than the rest, as many papers do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from glob import escape

import networkx as nx

from hwsim.errors import HwsimError
from hwsim.graph import Graph
from hwsim.hardware.precision import PrecisionRule
from hwsim.numerics.formats import IntFormat
from hwsim.quantization.allocate.knobs import Knob, is_stated
from hwsim.quantization.constants import WEIGHTED
from hwsim.quantization.state import State

WIDEST = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class SetEnds:
    """Give the weights of the first and the last layers integers of one width; goes before ``SetGrids``.

    It adds rules to the plan, so that grids and price follow. A layer whose weights a rule of the plan states keeps them, and a
    note says so.

    Args:
        bits: of the weights, 1 to 32.

    Raises:
        HwsimError: another width.
    """

    bits: int

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= WIDEST:
            raise HwsimError(f"ends: weights have 1 to {WIDEST} bits, not {self.bits}")

    def __call__(self, state: State) -> State:
        """Return the state with a rule per first and last layer in its scheme's plan."""
        plan, rules, kept = state.scheme.plan, [], []
        for layer in ends_of(state.graph):
            if is_stated(plan, Knob(layer, "weights")):
                kept.append(layer)
                continue
            number = plan.for_layer(layer).weights
            wide = replace(number, bits=self.bits) if isinstance(number, IntFormat) else IntFormat(bits=self.bits)
            rules.append(PrecisionRule(match=escape(layer), weights=str(wide)))
        changed = plan.model_copy(update={"layer": (*plan.layer, *rules)})
        note = f"ends: the plan's rules state the weights of {', '.join(kept)}, which keep their widths"
        return state.with_(scheme=replace(state.scheme, plan=changed), note=note if kept else None)


def ends_of(graph: Graph) -> tuple[str, ...]:
    """Return the products with constant weights before which, or behind which, there is no other, in the graph's order."""
    products = [node.name for node in graph.nodes if node.op in WEIGHTED and graph.tensors[node.inputs[1]].is_constant]
    network, known = nx.DiGraph(graph.network), set(products)
    return tuple(
        name
        for name in products
        if known.isdisjoint(nx.ancestors(network, name)) or known.isdisjoint(nx.descendants(network, name))
    )
