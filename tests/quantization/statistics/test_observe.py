"""Ranges without images."""

import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.hardware import PrecisionPlan
from hwsim.quantization.calibrate import needs_of, observe
from hwsim.quantization.prepare import prepare
from hwsim.quantization.quantize import Scheme, quantize
from hwsim.quantization.statistics import observe_statistics

GRAPH = prepare(hwsim.load("digits_mobilenet"))
CALIBRATION = {name: hwsim.dataset("digits_mobilenet", "calibration")[name] for name in GRAPH.inputs}
TEST = hwsim.dataset("digits_mobilenet", "test")
RANGES = {name: (float(values.min()), float(values.max())) for name, values in CALIBRATION.items()}
PLAN = PrecisionPlan(default={"activation_range": "batch_norm"})


def test_every_range_holds_nearly_all_values_that_images_show():
    seen, told = observe(GRAPH, CALIBRATION), observe_statistics(GRAPH, RANGES)
    assert set(seen) == set(told)
    for name, observation in told.items():
        if GRAPH.tensors[name].shape[1:] == (10,):
            continue
        low, high = observation.statistics
        distribution = seen[name].distribution()
        inside = distribution.weights[(distribution.values >= low) & (distribution.values <= high)].sum()
        assert inside / distribution.weights.sum() > 0.999, name


def test_a_network_gets_grids_without_running_an_image():
    told = quantize(GRAPH, Scheme(plan=PLAN), None, seen=observe_statistics(GRAPH, RANGES))
    machine = hwsim.accelerator("edge_16x16")
    assert hwsim.simulate(told, machine, TEST).summary["metrics"]["accuracy"] > 0.95


def test_images_give_the_ranges_of_the_inputs_and_are_not_run(monkeypatch):
    monkeypatch.setattr("hwsim.quantization.calibrate.run_float", None)
    assert needs_of(GRAPH, PLAN) == {"statistics"}
    seen, told = observe(GRAPH, CALIBRATION, needs_of(GRAPH, PLAN)), observe_statistics(GRAPH, RANGES)
    assert {name: each.statistics for name, each in seen.items()} == {
        name: each.statistics for name, each in told.items()
    }


def test_an_input_without_a_range_is_named():
    with pytest.raises(
        HwsimError, match="no normalization tells the range of a network input; state the range of image"
    ):
        observe_statistics(GRAPH, {})


def test_a_tensor_that_no_statistics_reach_is_named():
    bare = GRAPH.with_changes(nodes=[node.with_attributes(normal=None) for node in GRAPH.nodes])
    with pytest.raises(
        HwsimError, match=r"layer 'stem.conv', tensor '.*': range estimator batch_norm: no normalization tells"
    ):
        quantize(bare, Scheme(plan=PLAN), None, seen=observe_statistics(bare, RANGES))
