"""One weight scale per output channel: the requantizer multiplies each column by a number of its own."""

from __future__ import annotations

from hwsim.quantization.recipes.losses import weight_error
from hwsim.quantization.recipes.record import Recipe
from hwsim.quantization.set_grids import SetGrids

RECIPE = Recipe(
    title="ranges of least squared error, one weight scale per output channel",
    paper="Krishnamoorthi 2018, arXiv 1806.08342, section 3.1; Nagel et al. 2021, arXiv 2106.08295, section 2.2.3",
    steps=lambda options: (SetGrids(keys={"range": "mse", "weight_granularity": "channel"}),),
    loss=weight_error,
    baseline="mse",
)
