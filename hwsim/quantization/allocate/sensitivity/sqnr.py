"""Output noise: what one rounded tensor adds to the network's outputs, everything else real.

The value is noise power over signal power, ``10^(-SQNR / 10)``: powers of noises that are not correlated add up, decibels do
not. Suits any network, with or without classes.
"""

from __future__ import annotations

import numpy as np

from hwsim.graph import Graph
from hwsim.quantization.allocate.knobs import Knob
from hwsim.quantization.allocate.sensitivity import Images
from hwsim.quantization.allocate.sensitivity.outputs import Outputs, outputs_by_width
from hwsim.quantization.allocate.variants import Variants
from hwsim.quantization.allocate.widths import Choices, WidthTable

UNIT = "noise power / signal power"


def measure(variants: Variants, choices: Choices, images: Images, seed: int) -> WidthTable:
    """Return the relative noise power at the outputs with one knob at each width, summed over outputs and images."""
    del seed
    sums: dict[tuple[Knob, int], np.ndarray] = {}
    for knob, b, exact, rounded in outputs_by_width(variants, choices, images, "sqnr"):
        sums[knob, b] = sums.get((knob, b), 0) + powers(exact, rounded)
    return WidthTable.of(choices, lambda knob, b: ratio(sums[knob, b]), UNIT)


def loss(graph: Graph, exact: Outputs, rounded: Outputs) -> float:
    """Return noise over signal of outputs."""
    del graph
    return ratio(powers(exact, rounded))


def powers(exact: Outputs, rounded: Outputs) -> np.ndarray:
    """Return ``(noise, signal)``, sums of squares over all outputs."""
    noise = sum(float(np.square(np.asarray(rounded[name], np.float64) - exact[name]).sum()) for name in exact)
    signal = sum(float(np.square(exact[name], dtype=np.float64).sum()) for name in exact)
    return np.array([noise, signal])


def ratio(sums: np.ndarray) -> float:
    """Return noise over signal; without a signal the noise itself."""
    noise, signal = sums
    return float(noise / signal) if signal else float(noise)
