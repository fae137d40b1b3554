"""Cross-layer equalization before the grids: channels of very different ranges no longer share one scale."""

from __future__ import annotations

from hwsim.quantization.recipes.losses import channel_imbalance
from hwsim.quantization.recipes.record import CLIP_TO_RELU, Recipe
from hwsim.quantization.set_grids import SetGrids
from hwsim.quantization.transforms.equalize import Equalize

RECIPE = Recipe(
    title="cross-layer equalization, ranges of least squared error, one scale per tensor",
    paper="Nagel et al. 2019, arXiv 1906.04721, section 4.1",
    steps=lambda options: (
        Equalize(clip_to_relu=options["clip_to_relu"]),
        SetGrids(keys={"range": "mse", "weight_granularity": "tensor"}),
    ),
    loss=channel_imbalance,
    baseline="mse",
    options=(CLIP_TO_RELU,),
)
