"""Empirical bias correction: what quantized weights add to the mean of a layer's result is taken out of its bias."""

from __future__ import annotations

from hwsim.quantization.correct import CorrectBias
from hwsim.quantization.recipes.losses import mean_error
from hwsim.quantization.recipes.record import Recipe
from hwsim.quantization.set_grids import SetGrids

RECIPE = Recipe(
    title="ranges of least squared error, empirical bias correction, one scale per tensor",
    paper="Nagel et al. 2019, arXiv 1906.04721, section 4.2; Nagel et al. 2021, arXiv 2106.08295, section 3.3",
    steps=lambda options: (SetGrids(keys={"range": "mse", "weight_granularity": "tensor"}), CorrectBias()),
    loss=mean_error,
    baseline="mse",
)
