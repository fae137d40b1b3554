"""Output noise as a power, which adds up."""

import numpy as np
import pytest

from hwsim.errors import HwsimError
from hwsim.numerics.metrics import sqnr_db
from hwsim.quantization.allocate.sensitivity.outputs import outputs_by_width
from hwsim.quantization.allocate.sensitivity.sqnr import measure
from tests.quantization.allocate.small import IMAGES, variants

FOUND = variants()
CHOICES = FOUND.choices({"weights": (2, 4, 8)})


def test_is_the_sqnr_of_the_outputs():
    table = measure(FOUND, CHOICES, IMAGES, 0)
    for knob, b, exact, rounded in outputs_by_width(FOUND, CHOICES, IMAGES, "test"):  # one chunk
        decibels = sqnr_db(exact["logits"], rounded["logits"])
        row = table.values[CHOICES.knobs.index(knob)]
        assert -10 * np.log10(row[(2, 4, 8).index(b)]) == pytest.approx(decibels)


def test_needs_images():
    with pytest.raises(HwsimError, match="sqnr: needs calibration images"):
        measure(FOUND, CHOICES, {}, 0)
