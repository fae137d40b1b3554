"""The white paper's pipeline: equalize, set weight ranges, learn the rounding, set activation ranges.

Where there are no images the paper rounds to nearest and corrects biases analytically: that is the recipe ``data_free``.
"""

from __future__ import annotations

from hwsim.quantization.recipes.losses import reported
from hwsim.quantization.recipes.record import CLIP_TO_RELU, Option, Recipe
from hwsim.quantization.reconstruct import AdaRound
from hwsim.quantization.set_grids import SetActivations, SetGrids
from hwsim.quantization.transforms.absorb_bias import AbsorbBias
from hwsim.quantization.transforms.equalize import Equalize

RECIPE = Recipe(
    title="equalization, ranges of least squared error, learned rounding, one scale per tensor",
    paper="Nagel et al. 2021, arXiv 2106.08295, section 3.5",
    steps=lambda options: (
        Equalize(clip_to_relu=options["clip_to_relu"]),
        AbsorbBias(),
        SetGrids(keys={"range": "mse", "weight_granularity": "tensor"}),
        AdaRound(iterations=options["iterations"]),
        SetActivations(),
    ),
    loss=reported("adaround.loss"),
    baseline=reported("adaround.nearest"),
    options=(Option(name="iterations", default=500, help="steps of Adam per layer", least=1), CLIP_TO_RELU),
    needs_torch=True,
)
