"""A quantized network written and read again: the same tensors with the same codes on the same machine."""

from collections import Counter

import numpy as np
import pytest

import hwsim
from hwsim.interchange.onnx import read_onnx, write_qdq
from hwsim.interchange.qonnx import write_qonnx
from tests.integers import every_tensor

MACHINE = hwsim.accelerator("edge_16x16")


@pytest.mark.parametrize("write", [write_qdq, write_qonnx])
@pytest.mark.parametrize(
    ("network", "weights", "activations", "granularity"),
    [("digits_resnet", "int4", "uint4", "tensor"), ("digits_mobilenet", "int5n", "uint6", "channel")],
)
def test_there_and_back(network, weights, activations, granularity, write, tmp_path):
    graph, shown = hwsim.load(network), hwsim.dataset(network, "calibration")
    inputs = {name: hwsim.dataset(network, "test")[name][:5] for name in graph.inputs}
    made = hwsim.quantize(
        graph, weights=weights, activations=activations, weight_granularity=granularity, calibration=shown
    )
    write(made, tmp_path / "q.onnx")
    back = hwsim.load(tmp_path / "q.onnx")
    assert [node.name for node in back.nodes] == [node.name for node in made.nodes]
    assert Counter(node.op for node in back.nodes) == Counter(node.op for node in made.nodes)
    expected, found = every_tensor(made, MACHINE, inputs), every_tensor(back, MACHINE, inputs)
    assert set(expected) == set(found)
    for name, codes in expected.items():
        assert np.array_equal(codes, found[name]), name


@pytest.mark.parametrize("write", [write_qdq, write_qonnx])
def test_a_file_that_is_loaded_and_run_is_the_one_that_is_quantized_and_run(write, tmp_path):
    """``load`` fuses the file's quantizers, so that nothing depends on a call of ``quantize`` that changes no grid."""
    network, shown = hwsim.load("digits_resnet"), hwsim.dataset("digits_resnet", "calibration")
    images = {"image": hwsim.dataset("digits_resnet", "test")["image"][:20]}
    made = hwsim.quantize(network, weights="int4", activations="uint4", calibration=shown)
    write(made, tmp_path / "q.onnx")
    loaded, as_written = hwsim.load(tmp_path / "q.onnx"), read_onnx(tmp_path / "q.onnx")
    results = [hwsim.simulate(graph, MACHINE, images) for graph in (made, loaded, hwsim.quantize(loaded), as_written)]
    expected, *others = [[row["layer"] for row in result.layers.rows()] for result in results]
    assert others[0] == others[1] == expected != others[2]
    outputs = [next(iter(result.outputs.values())) for result in results]
    for found in outputs[1:3]:
        np.testing.assert_array_equal(found, outputs[0])
    assert results[1].summary["energy_pj"] == results[0].summary["energy_pj"] < results[3].summary["energy_pj"]


@pytest.mark.parametrize("write", [write_qdq, write_qonnx])
@pytest.mark.parametrize("network", ["digits_resnet", "digits_mobilenet"])
def test_groups_of_k_stay_on_the_array(network, write, tmp_path):
    graph, shown = hwsim.load(network), {"image": hwsim.dataset(network, "calibration")["image"][:16]}
    images = {"image": hwsim.dataset(network, "test")["image"][:5]}
    made = hwsim.quantize(graph, weights="int4", activations="uint8", weight_granularity="group:8", calibration=shown)
    write(made, tmp_path / "q.onnx")
    back = hwsim.load(tmp_path / "q.onnx")
    expected, found = (hwsim.simulate(each, MACHINE, images, compare=False) for each in (made, back))
    assert set(found.plan.mappings) == set(expected.plan.mappings)
    for key in ("cycles", "energy_pj", "dram_bytes"):
        assert found.summary[key] == expected.summary[key], key
    assert found.notes == ()
    integers = every_tensor(made, MACHINE, images)
    for name, codes in every_tensor(back, MACHINE, images).items():
        assert np.array_equal(codes, integers[name]), name


def test_floating_point_activations_keep_real_biases_in_qonnx(tmp_path):
    machine, name = hwsim.accelerator("edge_16x16_fp16"), "digits_resnet"
    shown, images = ({"image": hwsim.dataset(name, part)["image"][:8]} for part in ("calibration", "test"))
    made = hwsim.quantize(hwsim.load(name), weights="int4", activations="fp16", calibration=shown)
    assert write_qonnx(made, tmp_path / "q.onnx") == ()
    back = hwsim.load(tmp_path / "q.onnx")
    assert back.notes == ()
    integers = every_tensor(made, machine, images)
    for name, codes in every_tensor(back, machine, images).items():
        assert np.array_equal(codes, integers[name]), name
