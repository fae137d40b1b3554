"""MixQuant: weight widths per layer by round-off error, under the price of a uniform network or by the paper's own rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hwsim.quantization.allocate import QemRule
from hwsim.quantization.recipes.losses import reported
from hwsim.quantization.recipes.mixed import COST, PricedLikeUniform
from hwsim.quantization.recipes.record import Option, Recipe
from hwsim.quantization.set_grids import SetGrids
from hwsim.quantization.state import Step

_KEYS = {"range": "mse", "weight_granularity": "channel"}


def _steps(options: Mapping[str, Any]) -> tuple[Step, ...]:
    multiple = options["multiple"]
    budgeted = PricedLikeUniform("round_off", options["cost"], _KEYS)
    widths = QemRule(multiple=multiple, keys=_KEYS) if multiple else budgeted
    return widths, SetGrids(keys=_KEYS)


RECIPE = Recipe(
    title="weight widths per layer by round-off error, one scale per output channel",
    paper="Kloberdanz and Le 2023, arXiv 2309.17341",
    steps=_steps,
    loss=reported("allocate.sensitivity"),
    baseline=reported("allocate.uniform"),
    options=(
        COST,
        Option(
            name="multiple",
            default=0.0,
            help="the paper's rule: the narrowest width whose error is at most this multiple of that of 8 bits; 0: the budget",
        ),
    ),
)
