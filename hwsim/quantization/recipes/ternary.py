"""Ternary weights: what is small becomes 0, the rest plus or minus the mean magnitude; no multiplier is needed."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from hwsim.quantization.constants import WEIGHTED
from hwsim.quantization.recipes.losses import weight_error
from hwsim.quantization.recipes.record import Recipe
from hwsim.quantization.set_grids import SetGrids
from hwsim.quantization.state import State
from hwsim.quantization.tables.steps import UseTernary
from hwsim.quantization.tables.ternary import FitTernary

_SET = SetGrids(keys={"range": "minmax", "activation_range": "mse", "weight_granularity": "channel"})


@dataclass(frozen=True, slots=True)
class ThresholdWhereFree:
    """Set scales and codes by the threshold; layers whose estimator the user states keep what that one finds."""

    def __call__(self, state: State) -> State:
        """Return the state on ternary grids, with a note of the layers that were left out."""
        plan = state.scheme.plan
        rules = (plan.default, *plan.layer)
        kept = tuple(
            node.name
            for node in state.graph.nodes
            if node.op in WEIGHTED
            and any(rule.range is not None for rule in rules if fnmatchcase(node.name, getattr(rule, "match", "*")))
        )
        state = FitTernary(kept=kept)(_SET(state))
        note = f"ternary: {', '.join(kept)} take the scales of the range that is stated for them, not of the threshold"
        return state.with_(note=note if kept else None)


def _whole_range(state: State) -> float:
    """Return the weight error of rounding to the nearest of -largest, 0 and largest."""
    return weight_error(_SET(UseTernary()(state.with_(graph=state.reference))))


RECIPE = Recipe(
    title="ternary weights by a threshold of 0.7 mean magnitudes, one scale per output channel",
    paper="Li et al. 2016, arXiv 1605.04711, section 2.2 (its threshold and scale, not its training)",
    steps=lambda options: (UseTernary(), ThresholdWhereFree()),
    loss=weight_error,
    baseline=_whole_range,
)
