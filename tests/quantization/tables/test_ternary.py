"""Ternary weights by a threshold: codes, scales and biases."""

import numpy as np
import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.hardware.precision import PrecisionPlan
from hwsim.numerics.formats import TERNARY
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.quantization.prepare import prepare
from hwsim.quantization.scheme import Scheme
from hwsim.quantization.set_grids import SetGrids
from hwsim.quantization.state import State
from hwsim.quantization.tables.ternary import FitTernary, ternary_codes, ternary_scales
from tests.integers import every_tensor

DATA = np.array([[0.1, -0.9, 0.4, 0.0], [2.0, 2.0, -2.0, 0.1]], np.float32)


def state(**stated):
    graph = prepare(hwsim.load("digits_mobilenet"))
    plan = PrecisionPlan(default={"weights": "ternary", **stated})
    calibration = {"image": hwsim.dataset("digits_mobilenet", "calibration")["image"][:16]}
    return State(
        reference=graph,
        graph=graph,
        calibration=calibration,
        scheme=Scheme(plan=plan),
        machine=hwsim.accelerator("edge_16x16"),
    )


def test_weights_beyond_the_threshold_give_the_scale():
    scales = ternary_scales(DATA, Granularity(axis=0), 0.7, power_of_two=False)
    np.testing.assert_allclose(scales, [(0.9 + 0.4) / 2, 2.0])  # thresholds 0.245 and 1.0675
    grid = QuantParams(format=TERNARY, scale=tuple(scales), zero_point=(0, 0), granularity=Granularity(axis=0))
    codes = ternary_codes(DATA, grid, scales, 0.7)
    assert TERNARY.operands(codes).tolist() == [[0, -1, 1, 0], [1, 1, -1, 0]]


def test_powers_of_two_are_the_nearest():
    assert ternary_scales(DATA, Granularity(axis=0), 0.7, power_of_two=True).tolist() == [0.5, 2.0]
    assert ternary_scales(np.full((1, 3), 0.8, np.float32), PER_TENSOR, 0.7, power_of_two=True).tolist() == [1.0]


def test_a_scale_that_a_bias_widened_rounds_to_the_nearest():
    grid = QuantParams(format=TERNARY, scale=(2.6, 2.0), zero_point=(0, 0), granularity=Granularity(axis=0))
    codes = ternary_codes(DATA, grid, np.array([0.65, 2.0]), 0.7)
    assert TERNARY.operands(codes).tolist() == [[0, 0, 0, 0], [1, 1, -1, 0]]


@pytest.mark.parametrize("granularity", ["tensor", "channel"])
def test_a_network_executes_and_loses_less_than_its_whole_range(granularity):
    ranged = SetGrids()(state(weight_granularity=granularity))
    fitted = FitTernary()(ranged)
    errors = []
    for each in (ranged, fitted):
        weights = [t for t in each.graph.tensors.values() if t.quant is not None and t.quant.format == TERNARY]
        assert len(weights) == 14
        errors.append(sum(float(np.square(t.quant.decode(t.encoded()) - t.data).sum()) for t in weights))
    assert errors[1] < errors[0]
    for node in fitted.graph.nodes:
        if len(node.inputs) == 3:
            ifmap, weight, bias = (fitted.graph.tensors[name].quant for name in node.inputs)
            np.testing.assert_array_equal(bias.scales(), ifmap.operand_scales() * weight.operand_scales())
    images = {"image": hwsim.dataset("digits_mobilenet", "test")["image"][:2]}
    found = every_tensor(fitted.graph, fitted.machine, images)
    assert len(np.unique(found["logits"])) > 2


def test_other_weights_are_refused():
    with pytest.raises(HwsimError, match='no weight is on the ternary grid; state weights = "ternary"'):
        FitTernary()(SetGrids()(state(weights="int4")))
