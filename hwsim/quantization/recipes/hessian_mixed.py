"""Weight widths per layer by the curvature of the loss: the trace of each layer's Hessian times its squared round-off error.

Weights alone: the trace is that of parameters, and results have none. They have the width that the plan states; ``kl_mixed`` and
``mixquant`` allocate both.
"""

from __future__ import annotations

from hwsim.quantization.recipes.mixed import COST, PricedLikeUniform, allocated, before, searching
from hwsim.quantization.recipes.record import Recipe
from hwsim.quantization.set_grids import SetGrids

_KEYS = {"range": "mse", "weight_granularity": "tensor"}

RECIPE = Recipe(
    title="weight widths per layer by Hessian traces, at the price of a uniform network",
    paper="Xu et al. 2021, arXiv 2112.11438 (its second method); Dong et al. 2020, arXiv 1911.03852",
    steps=lambda options: (
        PricedLikeUniform(sensitivity="hessian", cost=options["cost"], keys=_KEYS, trials=options["search"]),
        SetGrids(keys=_KEYS),
    ),
    loss=allocated,
    baseline=before,
    options=(COST, searching("sum over layers at its true price")),
    needs_torch=True,
)
