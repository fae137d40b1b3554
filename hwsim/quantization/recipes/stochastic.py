"""Stochastic rounding: of many draws of all codes the one is kept whose outputs are nearest to the float network's."""

from __future__ import annotations

from hwsim.quantization.recipes.losses import reported
from hwsim.quantization.recipes.record import Option, Recipe
from hwsim.quantization.rounding import StochasticRounding
from hwsim.quantization.set_grids import SetActivations, SetGrids

RECIPE = Recipe(
    title="the best of many stochastic roundings, ranges of least squared error, one scale per tensor",
    paper="Nagel et al. 2020, arXiv 2004.10568, section 2 (what AdaRound is compared with)",
    steps=lambda options: (
        SetGrids(keys={"range": "mse", "weight_granularity": "tensor"}),
        StochasticRounding(trials=options["trials"], nearest=True),
        SetActivations(),
    ),
    loss=reported("stochastic.loss"),
    baseline=reported("stochastic.nearest"),
    options=(Option(name="trials", default=100, help="draws, beside rounding to nearest", least=1),),
)
