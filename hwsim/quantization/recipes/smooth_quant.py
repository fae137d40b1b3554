"""SmoothQuant: outliers of activation channels move into weights, and one scale serves all channels of an activation.

Scales go into the layers or normalizations before, as in the paper. Where something else reads the tensor, as the sum behind a
residual connection, it gets its values back by an explicit multiplication, which is priced; ``explicit=false`` leaves such
edges as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hwsim.quantization.recipes.losses import smoothing_gap
from hwsim.quantization.recipes.record import Option, Recipe
from hwsim.quantization.set_grids import SetGrids
from hwsim.quantization.state import Step
from hwsim.quantization.transforms.smooth import Smooth


def _steps(options: Mapping[str, Any]) -> tuple[Step, ...]:
    explicit = options["explicit"]
    smooth = Smooth(alpha="search" if options["search"] else options["alpha"], explicit=explicit)
    return smooth, SetGrids(keys={"range": "mse", "weight_granularity": "tensor"})


RECIPE = Recipe(
    title="activation outliers moved into weights, ranges of least squared error, one scale per tensor",
    paper="Xiao et al. 2023, arXiv 2211.10438",
    steps=_steps,
    loss=smoothing_gap,
    baseline="mse",
    options=(
        Option(name="alpha", default=0.5, help="how much of the range moves into the weights, 0 to 1", least=0.0),
        Option(name="search", default=False, help="take for every edge the alpha of least error instead"),
        Option(
            name="explicit",
            default=True,
            help="multiply where other readers need the values as they were; false: do not smooth there",
        ),
    ),
)
