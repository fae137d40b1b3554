"""The points of a sweep, and the quantized network of each: by the default quantizer, or by a recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from hwsim.errors import HwsimError, did_you_mean
from hwsim.graph import Graph
from hwsim.hardware import Accelerator, PrecisionPlan
from hwsim.hardware.problems import validate
from hwsim.quantization import Scheme, quantize, scheme_for, shifts_only
from hwsim.quantization.calibrate import observe
from hwsim.quantization.ranges import Observation, needs
from hwsim.quantization.recipes import recipe_of
from hwsim.quantization.recipes.record import Value
from hwsim.quantization.recipes.run import run_recipe

DEFAULT_RANGE = "mse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One choice of widths, in text form, and of a recipe; None for the default quantizer."""

    weights: str
    activations: str
    accumulator: str
    recipe: str | None = None


@dataclass(slots=True, kw_only=True)
class Quantizer:
    """Quantizes a prepared network point after point; of neighbours that share a network it does so once.

    Args:
        graph: prepared, in real numbers.
        accelerator: before the points' accumulators.
        calibration: images by input name.
        range: estimator; None for that of the recipe, without one ``DEFAULT_RANGE``.
        options: of each recipe, by its name.
        seed: of what recipes draw.
    """

    graph: Graph
    accelerator: Accelerator
    calibration: Mapping[str, np.ndarray]
    range: str | None
    options: Mapping[str, Mapping[str, Value]]
    seed: int
    _seen: Mapping[str, Observation] | None = None
    _last: tuple[object, tuple[Graph, Graph | None]] | None = field(default=None, repr=False)

    def facts(self, point: Point) -> dict[str, Any]:
        """Return all of a point that decides its results beside network, machine and images."""
        facts: dict[str, Any] = {"point": [point.weights, point.activations, point.accumulator]}
        if point.recipe is None:
            return facts | {"range": self.range or DEFAULT_RANGE}
        options = recipe_of(point.recipe).chosen(point.recipe, self.options[point.recipe])
        return facts | {"range": self.range, "recipe": point.recipe, "options": dict(options), "seed": self.seed}

    def quantized(self, point: Point, machine: Accelerator) -> tuple[Graph, Graph | None]:
        """Return the network of ``point`` and the real one that it stands for; None for the graph itself.

        A recipe quantizes for ``machine``, the accumulators of the point included: it may ask for prices or execute on it.
        """
        key = point if point.recipe else replace(point, accumulator="")
        if self._last is None or self._last[0] != key:
            self._last = (key, self._by_recipe(point, machine) if point.recipe else (self._plain(point), None))
        return self._last[1]

    def _plan(self, point: Point, range: str | None) -> PrecisionPlan:
        stated = {"weights": point.weights, "activations": point.activations}
        return validate(PrecisionPlan, {"default": stated | ({"range": range} if range else {})}, "sweep")

    def _plain(self, point: Point) -> Graph:
        range = self.range or DEFAULT_RANGE
        if self._seen is None:
            self._seen = observe(self.graph, self.calibration, needs(range))
        scheme = Scheme(plan=self._plan(point, range), power_of_two=shifts_only(self.graph, self.accelerator))
        return quantize(self.graph, scheme, None, seen=self._seen)

    def _by_recipe(self, point: Point, machine: Accelerator) -> tuple[Graph, Graph]:
        assert point.recipe is not None
        scheme, _ = scheme_for(self.graph, machine, self._plan(point, self.range))
        options = self.options[point.recipe]
        state = run_recipe(point.recipe, self.graph, scheme, machine, self.calibration, options=options, seed=self.seed)
        return state.graph, state.reference


def options_by_recipe(
    recipes: Sequence[str | None], options: Mapping[str, Value] | None
) -> dict[str, Mapping[str, Value]]:
    """Return the options that each recipe has, by its name.

    Raises:
        HwsimError: an unknown recipe, an option that none of them has, a value that is none of an option.

    >>> options_by_recipe(["minmax", "white_paper"], {"iterations": 50})
    {'minmax': {}, 'white_paper': {'iterations': 50}}
    """
    named = {name: recipe_of(name) for name in recipes if name is not None}
    known = {name: {option.name for option in recipe.options} for name, recipe in named.items()}
    every = sorted({key for keys in known.values() for key in keys})
    for key in options or {}:
        if key not in every:
            hint = did_you_mean(key, every) if every else "; they have none"
            raise HwsimError(f"sweep: option {key!r} is one of no recipe of {', '.join(named) or 'none'}{hint}")
    found: dict[str, Mapping[str, Value]]
    found = {name: {key: value for key, value in (options or {}).items() if key in known[name]} for name in named}
    for name, recipe in named.items():
        recipe.chosen(name, found[name])
    return found
