"""AdaRound: each weight is rounded up or down so that its layer's result is kept."""

from __future__ import annotations

from hwsim.quantization.recipes.losses import reported
from hwsim.quantization.recipes.record import Option, Recipe
from hwsim.quantization.reconstruct import AdaRound
from hwsim.quantization.set_grids import SetActivations, SetGrids

RECIPE = Recipe(
    title="learned rounding layer by layer, ranges of least squared error, one scale per tensor",
    paper="Nagel et al. 2020, arXiv 2004.10568",
    steps=lambda options: (
        SetGrids(keys={"range": "mse", "weight_granularity": "tensor"}),
        AdaRound(iterations=options["iterations"], rate=options["rate"]),
        SetActivations(),
    ),
    loss=reported("adaround.loss"),
    baseline=reported("adaround.nearest"),
    options=(
        Option(name="iterations", default=500, help="steps of Adam per layer", least=1),
        Option(name="rate", default=0.02, help="learning rate of the rounding", least=1e-6),
    ),
    needs_torch=True,
)
