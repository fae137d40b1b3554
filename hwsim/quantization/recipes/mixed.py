"""What recipes of several widths share: a budget in the words of a uniform network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hwsim.quantization.allocate import Allocate
from hwsim.quantization.recipes.record import Option
from hwsim.quantization.state import State

DEFAULT_WIDTH = "int4"
WIDTHS = (2, 3, 4, 5, 6, 8)
COST = Option(
    name="cost",
    default="energy",
    help="what the budget limits to that of the network with the stated weight width everywhere",
    choices=("cycles", "energy", "dram", "weights", "area"),
)


@dataclass(frozen=True, slots=True)
class PricedLikeUniform:
    """Allocate weight widths at no higher price than the network with the plan's weight width (int4 if unstated) everywhere.

    Args:
        sensitivity: what is minimized.
        cost: what must not rise.
        keys: of the plan's default that hold where the user states nothing.
    """

    sensitivity: str
    cost: str
    keys: Mapping[str, str]

    def __call__(self, state: State) -> State:
        """Return the state with one rule per layer in its plan."""
        stated = state.scheme.plan.default.weights
        budget = DEFAULT_WIDTH if stated is None else str(stated)
        step = Allocate(budget=budget, sensitivity=self.sensitivity, cost=self.cost, weights=WIDTHS, keys=self.keys)
        return step(state)
