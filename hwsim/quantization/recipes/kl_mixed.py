"""Weight widths per layer by how far a quantized layer moves the distribution of the network's outputs."""

from __future__ import annotations

from hwsim.quantization.recipes.losses import reported
from hwsim.quantization.recipes.mixed import COST, PricedLikeUniform
from hwsim.quantization.recipes.record import Recipe
from hwsim.quantization.set_grids import SetGrids

_KEYS = {"range": "mse", "weight_granularity": "tensor"}

RECIPE = Recipe(
    title="weight widths per layer by KL divergence of the outputs, at the price of a uniform network",
    paper="Xu et al. 2021, arXiv 2112.11438 (its first method)",
    steps=lambda options: (PricedLikeUniform("kl", options["cost"], _KEYS), SetGrids(keys=_KEYS)),
    loss=reported("allocate.sensitivity"),
    baseline=reported("allocate.uniform"),
    options=(COST,),
)
