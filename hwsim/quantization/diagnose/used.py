"""What has been done to a network already, so that nobody is told to try it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hwsim.graph import Graph
from hwsim.hardware.precision import PrecisionPlan
from hwsim.quantization.correct import CorrectBias
from hwsim.quantization.recipes import recipe_of
from hwsim.quantization.recipes.record import Value
from hwsim.quantization.reconstruct.adaround import AdaRound
from hwsim.quantization.reconstruct.brecq import Brecq
from hwsim.quantization.reconstruct.nupes import LearnExponents
from hwsim.quantization.transforms.equalize import Equalize
from hwsim.quantization.transforms.smooth import Smooth


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What made the grids of a network.

    Args:
        equalized: ranges of channels were evened out, between layers or by smoothing.
        rounding_learned: codes of weights were learned.
        bias_corrected: biases take back the shift of the means.
        fits_activation_ranges: every activation range has the least squared error already.
    """

    equalized: bool = False
    rounding_learned: bool = False
    bias_corrected: bool = False
    fits_activation_ranges: bool = False


NOTHING = Used()


def used_by(
    graph: Graph, plan: PrecisionPlan, recipe: str | None = None, options: Mapping[str, Value] | None = None
) -> Used:
    """Return what was used.

    Args:
        graph: whose layers the plan is asked for.
        plan: as the network was quantized by, with what a recipe filled in.
        recipe: by name; None without one.
        options: of the recipe.
    """
    steps: Iterable[object] = ()
    if recipe is not None:
        found = recipe_of(recipe)
        steps = found.steps(found.chosen(recipe, options))
    kinds = {type(step) for step in steps}
    return Used(
        equalized=bool(kinds & {Equalize, Smooth}),
        rounding_learned=bool(kinds & {AdaRound, Brecq, LearnExponents}),
        bias_corrected=CorrectBias in kinds,
        fits_activation_ranges=all(plan.for_layer(node.name).activation_range == "mse" for node in graph.nodes),
    )
