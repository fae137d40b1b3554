"""Ranges from the extremes that were seen: nothing is clipped, an outlier widens every step."""

from __future__ import annotations

from hwsim.quantization.recipes.losses import clipping
from hwsim.quantization.recipes.record import Recipe
from hwsim.quantization.set_grids import SetGrids

RECIPE = Recipe(
    title="extremes of weights and activations, one scale per tensor",
    paper="Nagel et al. 2021, arXiv 2106.08295, section 3.1",
    steps=lambda options: (SetGrids(keys={"range": "minmax", "weight_granularity": "tensor"}),),
    loss=clipping,
    baseline="mse",
)
