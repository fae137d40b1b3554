"""Ranges that leave out the outermost values of each tensor."""

from __future__ import annotations

from hwsim.quantization.recipes.losses import activation_steps
from hwsim.quantization.recipes.record import Recipe
from hwsim.quantization.set_grids import SetGrids

RECIPE = Recipe(
    title="quantiles of weights and activations, one scale per tensor",
    paper="Wu et al. 2020, arXiv 2004.09602, section 5.2",
    steps=lambda options: (SetGrids(keys={"range": "percentile", "weight_granularity": "tensor"}),),
    loss=activation_steps,
    baseline="minmax",
)
