"""MixQuant: widths per layer by round-off error, under the price of a uniform network or by the paper's own rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hwsim.errors import HwsimError
from hwsim.quantization.allocate import QemRule
from hwsim.quantization.recipes.mixed import ACTIVATIONS, COST, PricedLikeUniform, allocated, before, searching
from hwsim.quantization.recipes.record import Option, Recipe
from hwsim.quantization.set_grids import SetGrids
from hwsim.quantization.state import Step

_KEYS = {"range": "mse", "weight_granularity": "channel"}


def _steps(options: Mapping[str, Any]) -> tuple[Step, ...]:
    multiple = options["multiple"]
    if multiple and (options["activations"] or options["search"]):
        raise HwsimError(
            "recipe mixquant: the rule of multiple chooses widths of weights and has no budget to search under; leave out "
            "activations and search, or multiple"
        )
    budgeted = PricedLikeUniform(
        sensitivity="round_off",
        cost=options["cost"],
        keys=_KEYS,
        activations=options["activations"],
        trials=options["search"],
    )
    widths = QemRule(multiple=multiple, keys=_KEYS) if multiple else budgeted
    return widths, SetGrids(keys=_KEYS)


RECIPE = Recipe(
    title="widths per layer by round-off error, one scale per output channel",
    paper="Kloberdanz and Le 2023, arXiv 2309.17341",
    steps=_steps,
    loss=allocated,
    baseline=before,
    options=(
        COST,
        ACTIVATIONS,
        searching("sum over layers at its true price"),
        Option(
            name="multiple",
            default=0.0,
            help="the paper's rule: the narrowest width whose error is at most this multiple of that of 8 bits; 0: the budget",
        ),
    ),
)
