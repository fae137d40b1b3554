"""What recipes of several widths share: a budget in the words of a uniform network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hwsim.errors import HwsimError
from hwsim.numerics.formats import FloatFormat
from hwsim.quantization.allocate import Allocate
from hwsim.quantization.recipes.record import Option
from hwsim.quantization.state import State

DEFAULT_WIDTH, DEFAULT_RESULT = "int4", "uint8"
WIDTHS = (2, 3, 4, 5, 6, 8)
COST = Option(
    name="cost",
    default="energy",
    help="what the budget limits to that of the network with the stated weight width everywhere",
    choices=("cycles", "energy", "dram", "weights", "area"),
)


ACTIVATIONS = Option(
    name="activations",
    default=False,
    help="choose widths of results, too; the budget is then a network with the stated widths of both everywhere",
)


def searching(what: str) -> Option:
    """Return the option to search on from the exact solution.

    Args:
        what: is searched for the least of.
    """
    return Option(
        name="search",
        default=0,
        help=f"trials of a search from the exact solution on, for the least {what}; 0: none",
        least=0,
        extra="search",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedLikeUniform:
    """Allocate widths at no higher price than the network with the plan's widths (int4, uint8 if unstated) everywhere.

    Args:
        sensitivity: what is minimized.
        cost: what must not rise.
        keys: of the plan's default that hold where the user states nothing.
        activations: allocate widths of results, too.
        trials: of a search beyond the exact solution; 0: none.
        whole: search for the least loss of the whole network as executed, not of the sum over layers.
    """

    sensitivity: str
    cost: str
    keys: Mapping[str, str]
    activations: bool = False
    trials: int = 0
    whole: bool = False

    def __call__(self, state: State) -> State:
        """Return the state with one rule per layer in its plan; raise HwsimError where there is no width of results to choose."""
        stated = state.scheme.plan.default
        budget = DEFAULT_WIDTH if stated.weights is None else str(stated.weights)
        if self.activations:
            results = DEFAULT_RESULT if stated.activations is None else stated.activations
            if isinstance(results, FloatFormat):
                raise HwsimError(
                    f"widths of results: the plan states {results}, which has no other width; leave out the option activations"
                )
            budget += f"/{results}"
        step = Allocate(
            budget=budget,
            sensitivity=self.sensitivity,
            cost=self.cost,
            weights=WIDTHS,
            activations=WIDTHS if self.activations else None,
            solver="search" if self.trials else "exact",
            whole=self.whole and self.trials > 0,
            trials=self.trials,
            keys=self.keys,
        )
        return step(state)


def allocated(state: State) -> float:
    """Return the sensitivity of the widths; where a search went on, what that one made small."""
    return state.losses.get("allocate.found", state.losses["allocate.sensitivity"])


def before(state: State) -> float:
    """Return the least sensitivity of a uniform network within the budget; where a search went on, its start."""
    return state.losses["allocate.start"] if "allocate.start" in state.losses else state.losses["allocate.uniform"]
