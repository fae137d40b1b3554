"""Closed-form corrections of a quantized network: biases, norms. Steps of recipes, numpy only."""

from hwsim.quantization.correct.bias import CorrectBias
from hwsim.quantization.correct.reestimate import ReestimateNorms
from hwsim.quantization.correct.tweak import TweakNorms
from hwsim.quantization.correct.walk import mean_errors

__all__ = ["CorrectBias", "ReestimateNorms", "TweakNorms", "mean_errors"]
