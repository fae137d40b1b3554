"""Sensitivity measures, one per file: what each width of each knob costs in quality, a number that adds up over knobs.

Each file offers ``measure(variants, choices, images, seed) -> WidthTable``; the file name is the name in recipes. Labels are
never read: where a loss is needed it is measured against the float network's own outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

import numpy as np

from hwsim.errors import HwsimError, did_you_mean
from hwsim.quantization.allocate.variants import Variants
from hwsim.quantization.allocate.widths import Choices, WidthTable

NAMES = ("gauss_newton", "hessian", "kl", "round_off", "sqnr")

Images = Mapping[str, np.ndarray]
Measure = Callable[[Variants, Choices, Images, int], WidthTable]


def sensitivity_measure(name: str) -> Measure:
    """Return the measure of that name; raise HwsimError if there is none."""
    if name not in NAMES:
        raise HwsimError(f"allocate: sensitivity {name!r} is unknown{did_you_mean(name, NAMES)}")
    return import_module(f"{__name__}.{name}").measure
