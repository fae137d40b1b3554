"""A network of four weighted layers, small enough to price every allocation of it."""

from itertools import product

import numpy as np

import hwsim
from hwsim.hardware.precision import PrecisionPlan
from hwsim.quantization import Scheme, prepare
from hwsim.quantization.allocate.knobs import Knob
from hwsim.quantization.allocate.sensitivity import sensitivity_measure
from hwsim.quantization.allocate.variants import Variants
from hwsim.quantization.allocate.widths import Choices, WidthTable
from hwsim.quantization.calibrate import observe
from hwsim.quantization.recipes.probe import probe_network
from hwsim.quantization.state import State

GRAPH = prepare(probe_network())
IMAGES = {"image": np.random.default_rng(3).random((16, *GRAPH.tensors["image"].shape[1:]), dtype=np.float32)}
SCHEME = Scheme(plan=PrecisionPlan(default={"range": "mse"}))
SEEN = observe(GRAPH, IMAGES)


def variants(scheme: Scheme = SCHEME) -> Variants:
    return Variants(GRAPH, scheme, SEEN)


def state(preset: str = "edge_16x16", **changes) -> State:
    machine = changes.pop("machine", None) or hwsim.accelerator(preset)
    return State(reference=GRAPH, graph=GRAPH, calibration=IMAGES, scheme=SCHEME, machine=machine).with_(**changes)


def knobs(*layers: str) -> tuple[Knob, ...]:
    return tuple(Knob(layer, "weights") for layer in layers)


def table(values, unit: str = "", base: float = 0.0, choices: Choices | None = None) -> WidthTable:
    """Return a table of weight widths 2, 3, ... for rows of values."""
    if choices is None:
        choices = Choices(
            knobs=knobs(*(f"layer{i}" for i in range(len(values)))),
            bits=tuple(tuple(range(2, 2 + len(row))) for row in values),
        )
    return WidthTable(choices=choices, values=tuple(map(tuple, values)), unit=unit, base=base)


def assignments(choices: Choices):
    return product(*choices.bits)


def measured(name: str, found: Variants, choices: Choices, seed: int = 0) -> WidthTable:
    return sensitivity_measure(name)(found, choices, IMAGES, seed)
