"""Round-off against the definition."""

import numpy as np
import pytest

from hwsim.errors import HwsimError
from hwsim.execute.float32 import run_float
from hwsim.quantization.allocate.sensitivity.round_off import measure
from tests.quantization.allocate.small import GRAPH, IMAGES, variants

FOUND = variants()
CHOICES = FOUND.choices({"weights": (2, 4, 8), "activations": (4, 8)})
TABLE = measure(FOUND, CHOICES, IMAGES, 0)


def test_every_entry_by_hand():
    seen = {}
    run_float(GRAPH, IMAGES, observe=seen.__setitem__)
    for knob, widths, values in zip(CHOICES.knobs, CHOICES.bits, TABLE.values, strict=True):
        for b, value in zip(widths, values, strict=True):
            tensor = FOUND.tensor(knob, b)
            real = (tensor.data if knob.key == "weights" else seen[tensor.name]).astype(np.float64)
            error = real - tensor.quant.decode(tensor.quant.encode(real))
            assert value == pytest.approx(np.square(error).sum() / np.square(real).sum(), rel=1e-6)


def test_falls_with_width():
    assert all(list(row) == sorted(row, reverse=True) and row[-1] > 0 for row in TABLE.values)


def test_results_need_images():
    with pytest.raises(HwsimError, match="results need calibration images"):
        measure(FOUND, CHOICES, {}, 0)
