"""Weight widths per layer by the curvature of the loss: the trace of each layer's Hessian times its squared round-off error."""

from __future__ import annotations

from hwsim.quantization.recipes.losses import reported
from hwsim.quantization.recipes.mixed import COST, PricedLikeUniform
from hwsim.quantization.recipes.record import Recipe
from hwsim.quantization.set_grids import SetGrids

_KEYS = {"range": "mse", "weight_granularity": "tensor"}

RECIPE = Recipe(
    title="weight widths per layer by Hessian traces, at the price of a uniform network",
    paper="Xu et al. 2021, arXiv 2112.11438 (its second method); Dong et al. 2020, arXiv 1911.03852",
    steps=lambda options: (PricedLikeUniform("hessian", options["cost"], _KEYS), SetGrids(keys=_KEYS)),
    loss=reported("allocate.sensitivity"),
    baseline=reported("allocate.uniform"),
    options=(COST,),
    needs_torch=True,
)
