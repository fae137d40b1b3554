"""Ranges with the least squared error: a few clipped values against smaller steps for all others."""

from __future__ import annotations

from hwsim.quantization.recipes.losses import weight_error
from hwsim.quantization.recipes.record import Recipe
from hwsim.quantization.set_grids import SetGrids

RECIPE = Recipe(
    title="ranges of least squared error, one scale per tensor",
    paper="Nagel et al. 2021, arXiv 2106.08295, section 3.1, eq. 8",
    steps=lambda options: (SetGrids(keys={"range": "mse", "weight_granularity": "tensor"}),),
    loss=weight_error,
    baseline="minmax",
)
