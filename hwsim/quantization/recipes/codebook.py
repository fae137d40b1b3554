"""Codebooks: every layer's weights share a table of values found by k-means; a code is a place in the table."""

from __future__ import annotations

from hwsim.quantization.recipes.losses import weight_error
from hwsim.quantization.recipes.record import Recipe
from hwsim.quantization.set_grids import SetGrids
from hwsim.quantization.tables.steps import FitCodebook

RECIPE = Recipe(
    title="weight tables by k-means, one per layer",
    paper="Han et al. 2016, arXiv 1510.00149, section 3 (its tables, not its training)",
    steps=lambda options: (FitCodebook(), SetGrids(keys={"range": "mse", "weight_granularity": "tensor"})),
    loss=weight_error,
    baseline="mse",
)
