"""Data-free quantization: everything is read off weights and normalizations, and no image is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hwsim.quantization.correct import CorrectBias
from hwsim.quantization.recipes.losses import reported
from hwsim.quantization.recipes.record import CLIP_TO_RELU, Option, Recipe, Value
from hwsim.quantization.set_grids import SetGridsFromStatistics
from hwsim.quantization.transforms.absorb_bias import AbsorbBias
from hwsim.quantization.transforms.equalize import Equalize


def _input_range(chosen: Mapping[str, Any], given: Mapping[str, Value]) -> str | None:
    """Return which range the inputs are taken to have, unless both ends are stated."""
    if {"input_low", "input_high"} <= given.keys():
        return None
    low, high = chosen["input_low"], chosen["input_high"]
    return f"data_free: inputs are taken to lie in {low:g}..{high:g}; the options input_low and input_high state another range"


RECIPE = Recipe(
    title="equalization, bias absorption, ranges and bias correction from normalization statistics; no images",
    paper="Nagel et al. 2019, arXiv 1906.04721",
    steps=lambda options: (
        Equalize(clip_to_relu=options["clip_to_relu"]),
        AbsorbBias(),
        SetGridsFromStatistics(
            input_range=(options["input_low"], options["input_high"]),
            keys={"range": "mse", "activation_range": "batch_norm", "weight_granularity": "tensor"},
        ),
        CorrectBias(kind="analytic"),
    ),
    loss=reported("analytic_correction.after"),
    baseline=reported("analytic_correction.before"),
    options=(
        CLIP_TO_RELU,
        Option(name="input_low", default=0.0, help="smallest value of the network's inputs, which no statistics tell"),
        Option(name="input_high", default=1.0, help="largest value of the network's inputs"),
    ),
    assumes=_input_range,
    is_data_free=True,
)
