"""The loss of a whole network, in its integers."""

import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.execute.float32 import run_float
from hwsim.numerics.metrics import sqnr_db
from hwsim.quantization.allocate.measured import Measured
from tests.quantization.allocate.small import GRAPH, IMAGES, variants

MACHINE = hwsim.accelerator("edge_16x16")
FOUND = variants()
CHOICES = FOUND.choices({"weights": (2, 8)})


def test_sqnr_is_that_of_the_executed_network():
    found = Measured(FOUND, CHOICES, MACHINE, IMAGES, "sqnr")
    graph = FOUND.quantized(CHOICES.knobs, (2, 8, 8, 8))
    outputs = hwsim.simulate(graph, MACHINE, IMAGES).outputs["logits"]
    exact = run_float(GRAPH, IMAGES)["logits"]
    assert found((2, 8, 8, 8)) == pytest.approx(10 ** (-sqnr_db(exact, outputs) / 10))


def test_kl_falls_with_width():
    found = Measured(FOUND, CHOICES, MACHINE, IMAGES, "kl")
    assert 0 < found((8, 8, 8, 8)) < found((2, 8, 8, 8)) < found((2, 2, 2, 2))


def test_refused():
    with pytest.raises(HwsimError, match="is one of kl, sqnr, not 'hessian'"):
        Measured(FOUND, CHOICES, MACHINE, IMAGES, "hessian")
    with pytest.raises(HwsimError, match="needs calibration images"):
        Measured(FOUND, CHOICES, MACHINE, {}, "kl")
