"""Ours: the recipes, and the integers that the machine computes."""

from __future__ import annotations

import numpy as np

import hwsim
from hwsim.graph import Graph
from hwsim.hardware import PrecisionPlan
from hwsim.quantization import Scheme
from hwsim.quantization.recipes.run import run_recipe
from toolkits import Case, with_aimet, with_brevitas

NAME = "hwsim"
WEIGHTS = (*with_aimet.WEIGHTS, *with_brevitas.WEIGHTS)
METHODS = (
    *(
        (algorithm, ranges)
        for algorithm in ("none", "cle", "bias_correction", "adaround")
        for ranges in ("minmax", "mse")
    ),
    ("none", "percentile"),
)
MACHINE = "edge_16x16"


def release() -> str:
    """Return the version."""
    return hwsim.__version__


def logits(case: Case, calibration: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return the logits ``[images, classes]`` of the integers."""
    return computed(quantized(case, calibration), test)


def quantized(case: Case, calibration: np.ndarray) -> Graph:
    """Return the quantized network; the estimator ``percentile`` is for activations alone."""
    recipe = "minmax" if case.algorithm == "none" else case.algorithm
    stated = {
        "weights": case.weights,
        "weight_granularity": case.granularity,
        "range": "minmax" if case.ranges == "percentile" else case.ranges,
        "activation_range": case.ranges,
    }
    return run_recipe(
        recipe,
        hwsim.load(case.network),
        Scheme(plan=PrecisionPlan(default=stated)),
        hwsim.accelerator(MACHINE),
        {"image": calibration},
        options={"iterations": case.iterations} if recipe == "adaround" else {},
        seed=case.seed,
    ).graph


def computed(graph: Graph, test: np.ndarray) -> np.ndarray:
    """Return what the machine computes of the images."""
    (found,) = hwsim.simulate(graph, hwsim.accelerator(MACHINE), {"image": test}).outputs.values()
    return found
