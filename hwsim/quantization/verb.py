"""``hwsim.quantize``: the short way to a scheme."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph import Graph
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.load import load_accelerator
from hwsim.hardware.precision import KEYS, PrecisionPlan, with_precision
from hwsim.hardware.problems import validate
from hwsim.quantization.quantize import quantize as quantize_by_scheme
from hwsim.quantization.recipes.record import Value
from hwsim.quantization.recipes.run import run_recipe
from hwsim.quantization.scheme import BOUNDARY_BITS, Scheme, scheme_for

DEFAULT_MACHINE = "edge_16x16"


def quantize(
    graph: Graph,
    *,
    weights: str | None = None,
    activations: str | None = None,
    calibration: Mapping[str, np.ndarray] | None = None,
    range: str | None = None,
    activation_range: str | None = None,
    weight_granularity: str | None = None,
    weight_symmetry: str | None = None,
    activation_symmetry: str | None = None,
    sparsity: str | None = None,
    boundary_bits: int = BOUNDARY_BITS,
    power_of_two: bool = False,
    plan: PrecisionPlan | None = None,
    recipe: str | None = None,
    options: Mapping[str, Value] | None = None,
    accelerator: Accelerator | None = None,
    seed: int = 0,
) -> Graph:
    """Quantize a float network after training; one that came quantized keeps its grids and takes none of the choices here.

    Args:
        graph: from ``hwsim.load``.
        weights: ``int4`` or ``int8n`` (1 to 32 bits), ``ternary``, ``bipolar``, ``pot4`` (powers of two), ``power4:0.5``
            (exponent; ``power4``: found per layer), ``codebook4`` (learned per layer), ``fp4e2m1`` and other floats. [int8]
        activations: format in which results leave; ``fp16`` or ``bf16`` are real values, for machines with a floating mac. [uint8]
        calibration: images by input name that show the range of every activation (other keys, such as ``labels``, are
            ignored); None gives a graph that can be priced but not executed.
        range: an estimator of ``hwsim show ranges``, as ``minmax``, ``percentile`` or ``mse``. [minmax]
        activation_range: that of activations, where it is another one.
        weight_granularity: ``channel``, ``tensor``, or ``group:32``: a scale per 32 input channels of each output. [channel]
        weight_symmetry: ``symmetric`` or ``asymmetric``. [symmetric]
        activation_symmetry: ``symmetric`` or ``asymmetric``. [asymmetric]
        sparsity: ``2:4`` prunes weights to 2 of every 4 along k (``hwsim.quantization.prune``). [dense]
        boundary_bits: least width of network inputs and outputs.
        power_of_two: only power-of-two scales, which the ``power_of_two`` requantizer needs.
        plan: per-layer exceptions; what its default states wins over the arguments here.
        recipe: a published method by name (``hwsim show recipes``); it fills in what is not stated here.
        options: of the recipe, by name.
        accelerator: the machine that the recipe quantizes for, with the plan's registers and requantizers: scales are powers
            of two where one of its requantizers only shifts, and recipes that allocate bits ask it for prices.
        seed: of everything that the recipe draws.

    Raises:
        HwsimError: an unknown format or estimator, a rule that matches no layer, values that a grid cannot hold, grids
            stated for a network that came quantized.
    """
    given: dict[str, Any] = {
        "weights": weights,
        "activations": activations,
        "range": range,
        "activation_range": activation_range,
        "weight_granularity": weight_granularity,
        "weight_symmetry": weight_symmetry,
        "activation_symmetry": activation_symmetry,
        "sparsity": sparsity,
    }
    stated = {key: value for key, value in given.items() if value is not None}
    base = validate(PrecisionPlan, {"default": stated}, "quantize", {})
    if plan is not None:
        default = base.default.model_copy(update=plan.default.stated(KEYS))
        base = plan.model_copy(update={"default": default})
    scheme = Scheme(plan=base, boundary_bits=boundary_bits, power_of_two=power_of_two)
    if recipe is None:
        if options or accelerator is not None:
            raise HwsimError("quantize: options and accelerator belong to a recipe; name one")
        return quantize_by_scheme(graph, scheme, None if calibration is None else _of_inputs(graph, calibration))
    machine = with_precision(load_accelerator(DEFAULT_MACHINE) if accelerator is None else accelerator, base)
    if not power_of_two:
        scheme, notes = scheme_for(graph, machine, base, boundary_bits=boundary_bits)
        graph = replace(graph, notes=(*graph.notes, *notes))
    return run_recipe(recipe, graph, scheme, machine, calibration, options=options, seed=seed).graph


def _of_inputs(graph: Graph, calibration: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
    """Return the inputs' images; raise HwsimError where some are missing."""
    missing = [name for name in graph.inputs if name not in calibration]
    if missing:
        raise HwsimError(
            f"quantize: calibration has keys {', '.join(calibration)} but {graph.name} needs {', '.join(missing)}"
        )
    return {name: calibration[name] for name in graph.inputs}
