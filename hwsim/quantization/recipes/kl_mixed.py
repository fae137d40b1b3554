"""Widths per layer by how far a quantized layer moves the distribution of the network's outputs.

Of weights, as in the paper; of results, too, where the option ``activations`` says so.
"""

from __future__ import annotations

from hwsim.quantization.recipes.mixed import ACTIVATIONS, COST, PricedLikeUniform, allocated, before, searching
from hwsim.quantization.recipes.record import Recipe
from hwsim.quantization.set_grids import SetGrids

_KEYS = {"range": "mse", "weight_granularity": "tensor"}

RECIPE = Recipe(
    title="widths per layer by KL divergence of the outputs, at the price of a uniform network",
    paper="Xu et al. 2021, arXiv 2112.11438 (its first method)",
    steps=lambda options: (
        PricedLikeUniform(
            sensitivity="kl",
            cost=options["cost"],
            keys=_KEYS,
            activations=options["activations"],
            trials=options["search"],
            whole=True,
        ),
        SetGrids(keys=_KEYS),
    ),
    loss=allocated,
    baseline=before,
    options=(COST, ACTIVATIONS, searching("divergence of the whole network as executed")),
)
