"""Every scale a power of two: the requantizer shifts and multiplies nothing."""

from __future__ import annotations

from dataclasses import replace

from hwsim.quantization.quantize import quantize
from hwsim.quantization.recipes.losses import weight_error
from hwsim.quantization.recipes.record import Recipe
from hwsim.quantization.set_grids import PowersOfTwo, SetGrids
from hwsim.quantization.state import State


def _rounded_up(state: State) -> float:
    """Return the weight error of scales that are rounded up from extremes, so that nothing is clipped."""
    scheme = state.scheme
    plan = scheme.plan.model_copy(update={"default": scheme.plan.default.model_copy(update={"range": "minmax"})})
    return weight_error(state.with_(graph=quantize(state.reference, replace(scheme, plan=plan), state.calibration)))


RECIPE = Recipe(
    title="scales that are powers of two, of least squared error among them",
    paper="Jain et al. 2020, arXiv 1903.08066 (its grids; thresholds are calibrated, not trained)",
    steps=lambda options: (PowersOfTwo(), SetGrids(keys={"range": "mse", "weight_granularity": "tensor"})),
    loss=weight_error,
    baseline=_rounded_up,
)
