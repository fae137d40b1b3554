"""Weights in groups of k with a scale each, activations with a scale per token (of a convolution: per image) found at run time."""

from __future__ import annotations

from hwsim.quantization.recipes.losses import weight_error
from hwsim.quantization.recipes.record import Option, Recipe
from hwsim.quantization.run_time import FindScalesAtRunTime
from hwsim.quantization.set_grids import SetGrids

RECIPE = Recipe(
    title="weight scales per group of k, activation scales at run time",
    paper="Yao et al. 2022, arXiv 2206.01861, section 4.1",
    steps=lambda options: (
        SetGrids(keys={"range": "mse", "weight_granularity": f"group:{options['group']}"}),
        *((FindScalesAtRunTime(),) if options["run_time"] else ()),
    ),
    loss=weight_error,
    baseline="per_channel",
    options=(
        Option(
            name="group",
            default=16,
            help="input channels (or k) that share a weight scale",
            fills="weight_granularity",
            least=1,
        ),
        Option(name="run_time", default=True, help="find activation scales at run time; false: calibrated ones"),
    ),
)
