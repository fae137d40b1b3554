"""Batch-norm re-estimation: every normalized channel gets back the mean and the variance that it has in the float network."""

from __future__ import annotations

from hwsim.quantization.correct import ReestimateNorms
from hwsim.quantization.recipes.losses import mean_error
from hwsim.quantization.recipes.record import Recipe
from hwsim.quantization.set_grids import SetGrids

RECIPE = Recipe(
    title="mean and variance of normalized channels restored in scales and biases, one scale per output channel",
    paper="Nagel et al. 2022, arXiv 2203.11086 (its re-estimation, not its training; normalizations are folded)",
    steps=lambda options: (SetGrids(keys={"range": "mse", "weight_granularity": "channel"}), ReestimateNorms()),
    loss=mean_error,
    baseline="per_channel",
)
