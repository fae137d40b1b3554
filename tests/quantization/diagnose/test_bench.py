"""Scores are what their definitions say."""

import numpy as np
import pytest

import hwsim
from hwsim.numerics.accumulator import Accumulator
from hwsim.numerics.metrics import sqnr_db
from hwsim.quantization.diagnose.bench import Bench, with_exact_registers
from hwsim.quantization.diagnose.sanity import fine_score
from hwsim.quantization.quantize import quantize
from hwsim.quantization.scheme import Scheme
from hwsim.simulation.metrics import accuracy
from tests.quantization.transforms.graphs import Builder

IMAGES = {"x": np.random.default_rng(0).normal(size=(8, 3, 6, 6)).astype(np.float32)}
LABELS = np.zeros(8, dtype=np.int64)
MACHINE = hwsim.accelerator("edge_16x16")


def network():
    b = Builder(1)
    return quantize(b.graph(b.head(b.conv("x", clamp=(0.0, None)))), Scheme(), IMAGES)


def test_a_measure_is_the_simulation_of_the_same_images():
    graph = network()
    bench = Bench(graph, MACHINE, IMAGES, LABELS, accuracy)
    result = hwsim.simulate(graph, MACHINE, IMAGES, labels=LABELS)
    found = bench.measure()
    assert found.metric == result.summary["metrics"]["accuracy"]
    assert found.sqnr_db == pytest.approx(result.summary["sqnr_db"], abs=1e-6)
    assert bench.float_score().metric == result.summary["metrics"]["float_accuracy"]


def test_a_score_is_over_all_outputs():
    bench = Bench(network(), MACHINE, IMAGES, None, accuracy)
    wanted = bench.reference["gemm3"]
    score = bench.score({"gemm3": wanted + np.float32(0.5)})
    assert score.metric is None
    assert score.max_error == pytest.approx(0.5, abs=1e-6)
    assert score.sqnr_db == pytest.approx(sqnr_db(wanted, wanted + np.float32(0.5)))


def test_scores_order_by_metric_then_noise():
    bench = Bench(network(), MACHINE, IMAGES, LABELS, accuracy)
    assert bench.measure().key < bench.float_score().key


def test_exact_registers_keep_everything_else():
    machine = hwsim.accelerator("edge_16x16", overrides=["datapath.psum=int12:wrap", "datapath.requantizer=float32"])
    exact = with_exact_registers(machine)
    assert exact.datapath.psum == exact.datapath.accumulator == Accumulator()
    assert exact.datapath.requantizer == machine.datapath.requantizer


def test_fine_grids_equal_the_float_network_and_a_fault_shows():
    bench = Bench(network(), with_exact_registers(MACHINE), IMAGES, None, accuracy)
    assert fine_score(bench, IMAGES).sqnr_db > 110
    bench.reference["gemm3"] = bench.reference["gemm3"] * np.float32(1.01)
    assert fine_score(bench, IMAGES).sqnr_db < 45


def test_fine_grids_of_a_product_that_was_computed_in_real_numbers():
    """Beside scales found at run time a product of two activations has real operands; on fine grids it runs on the array."""
    b = Builder(3, shape=(1, 5, 8))
    left, right = b.linear("x", 8), b.linear("x", 5)
    graph = b.graph(b.add("MatMul", [right, left], (1, 5, 8)))
    images = {"x": np.random.default_rng(1).normal(size=(8, 5, 8)).astype(np.float32)}
    quantized = hwsim.quantize(graph, recipe="zeroquant_groups", calibration=images)
    bench = Bench(quantized, with_exact_registers(MACHINE), images, None, accuracy)
    assert fine_score(bench, images).sqnr_db > 110
