"""Norm tweaking: layer normalizations are rescaled so that the quantized products behind them err least."""

from __future__ import annotations

from hwsim.quantization.correct import TweakNorms
from hwsim.quantization.recipes.losses import reported
from hwsim.quantization.recipes.record import Recipe
from hwsim.quantization.set_grids import SetActivations, SetGrids

RECIPE = Recipe(
    title="layer normalizations rescaled for the quantized weights behind them, one scale per output channel",
    paper="Li et al. 2023, arXiv 2309.02784 (its parameters; solved in closed form for the squared error, not trained)",
    steps=lambda options: (
        SetGrids(keys={"range": "mse", "weight_granularity": "channel"}),
        TweakNorms(),
        SetActivations(),
    ),
    loss=reported("norm_tweak.after"),
    baseline=reported("norm_tweak.before"),
)
