import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import hwsim
from hwsim.errors import ExecutionError, GraphError, HwsimError
from hwsim.execute.float32 import run_float
from hwsim.numerics.metrics import ratio_db
from hwsim.quantization import prepare
from hwsim.simulation.inputs import chunks_of
from hwsim.simulation.metrics import accuracy, metric_of

NETWORKS = ("digits_resnet", "digits_mobilenet")


def quantized(name, **options):
    return hwsim.quantize(hwsim.load(name), calibration=hwsim.dataset(name, "calibration"), **options)


@pytest.mark.parametrize("name", NETWORKS)
def test_eight_bits_keep_the_float_accuracy(name):
    images = hwsim.dataset(name, "test")
    metrics = hwsim.simulate(quantized(name), hwsim.accelerator("edge_16x16"), images).summary["metrics"]
    assert metrics["float_accuracy"] >= 0.98
    assert abs(metrics["accuracy"] - metrics["float_accuracy"]) <= 0.005


@pytest.mark.parametrize(
    "machine", ["edge_16x16", "edge_16x16_os", "gemmini_16x16", "scale_sim_default_32x32", "tpu_like_128x128"]
)
def test_totals_are_sums_of_rows(machine):
    graph = quantized("digits_resnet")
    result = hwsim.simulate(graph, hwsim.accelerator(machine))
    layers, summary = result.layers, result.summary
    causes = [f"{name}_cycles" for name in ("compute", "fill", "drain", "stall", "vector")]
    for row in layers.rows():
        assert row["cycles"] == sum(row[name] for name in causes)
        assert all(row[name] >= 0 for name in causes)
    assert summary["cycles"] == layers.sum("cycles")
    assert summary["macs"] == 1_857_504
    assert summary["energy_pj"] == pytest.approx(result.energy.sum("energy_pj"))
    by_layer = result.energy.sum_by("layer", "energy_pj")
    assert [by_layer.get(row["layer"], 0.0) for row in layers.rows()] == pytest.approx(list(layers["energy_pj"]))
    traffic = sum(row["count"] * row["bits"] for row in result.accesses.where(memory="dram").rows()) / 8
    assert summary["dram_bytes"] == traffic == layers.sum("dram_bytes")


def test_more_accumulator_bits_never_lose_and_wide_ones_are_exact():
    graph, images = quantized("digits_resnet"), hwsim.dataset("digits_resnet", "test")
    few = {key: value[:60] for key, value in images.items()}
    outcomes = {}
    for register in ("int12:saturate", "int16:saturate", "int20:saturate", "int24:saturate", "int32:wrap", "exact"):
        machine = hwsim.accelerator("edge_16x16", overrides=[f"datapath.accumulator={register}"])
        result = hwsim.simulate(graph, machine, few)
        outcomes[register] = (result.summary["overflow_events"], result.outputs["logits"])
    events = [count for count, _ in outcomes.values()]
    assert events == sorted(events, reverse=True)
    assert events[0] > events[1] > 0 == events[-1]
    np.testing.assert_array_equal(outcomes["int24:saturate"][1], outcomes["exact"][1])
    np.testing.assert_array_equal(outcomes["int32:wrap"][1], outcomes["exact"][1])
    assert not np.array_equal(outcomes["int12:saturate"][1], outcomes["exact"][1])


def test_the_order_of_accumulation_follows_the_machine():
    """Saturation depends on the order, so machines with other folds give other integers; exact ones agree."""
    graph = quantized("digits_resnet")
    few = {"image": hwsim.dataset("digits_resnet", "test")["image"][:20]}

    def logits(*overrides):
        return hwsim.simulate(graph, hwsim.accelerator("edge_16x16", overrides=list(overrides)), few).outputs["logits"]

    tight = "datapath.accumulator=int15:saturate"
    assert not np.array_equal(logits(tight), logits(tight, "array.k_order=channel_kernel"))
    assert not np.array_equal(logits(tight), logits(tight, "array.rows=4"))
    np.testing.assert_array_equal(logits(), logits("array.k_order=channel_kernel", "array.rows=4"))


@pytest.mark.parametrize("name", NETWORKS)
def test_images_do_not_influence_each_other(name):
    graph, machine = quantized(name), hwsim.accelerator("edge_16x16")
    image = hwsim.dataset(name, "test")["image"][:7]
    together = hwsim.simulate(graph, machine, {"image": image}).outputs["logits"]
    alone = [hwsim.simulate(graph, machine, {"image": image[i : i + 1]}).outputs["logits"] for i in range(7)]
    np.testing.assert_array_equal(together, np.concatenate(alone))


def test_chunks_hold_all_images_in_order():
    graph = hwsim.load("digits_resnet")
    image = np.arange(3000 * 64, dtype=np.float32).reshape(3000, 1, 8, 8)
    chunks = chunks_of(graph, {"image": image})
    assert len(chunks) > 1
    np.testing.assert_array_equal(np.concatenate([chunk["image"] for chunk in chunks]), image)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_bit_is_worth_about_six_decibels(name):
    images = {"image": hwsim.dataset(name, "test")["image"][:50]}
    machine = hwsim.accelerator("edge_16x16", overrides=["datapath.psum=exact", "datapath.accumulator=exact"])
    sqnr = []
    for bits in (8, 12, 16):
        graph = hwsim.quantize(hwsim.load(name), weights=f"int{bits}", activations=f"uint{bits}", calibration=images)
        sqnr.append(hwsim.simulate(graph, machine, images).summary["sqnr_db"])
    assert 20 < sqnr[1] - sqnr[0] < 28
    assert 20 < sqnr[2] - sqnr[1] < 28


def test_a_batch_costs_less_per_image():
    one = hwsim.simulate(hwsim.quantize(hwsim.load("digits_resnet")), hwsim.accelerator("edge_16x16")).summary
    eight = hwsim.simulate(
        hwsim.quantize(hwsim.load("digits_resnet", batch=8)), hwsim.accelerator("edge_16x16")
    ).summary
    assert eight["macs"] == 8 * one["macs"]
    assert eight["dram_bytes"] < 8 * one["dram_bytes"]
    assert eight["frames_per_s"] > one["frames_per_s"]


@pytest.mark.parametrize(
    "keys", [(), ("requantizer=float32", "arithmetic=onnxruntime"), ("requantizer=tflite", "arithmetic=tflite")]
)
def test_cost_only_executes_and_draws_nothing(keys):
    """The plan is checked all the same: that reads the definitions. Only the search over mappings compiles."""
    code = (
        "import sys, hwsim\n"
        "graph = hwsim.quantize(hwsim.load('digits_resnet'))\n"
        f"machine = hwsim.accelerator('edge_16x16', overrides={[f'datapath.{key}' for key in keys]})\n"
        "result = hwsim.simulate(graph, machine)\n"
        "assert result.summary['cycles'] > 0 and not result.outputs\n"
        "heavy = {'matplotlib', 'hwsim.execute.integer.run', 'hwsim.kernels.mac', 'hwsim.kernels.gemm'}\n"
        "print(heavy & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_float_graph_is_refused():
    with pytest.raises(GraphError, match="quantize the graph first"):
        hwsim.simulate(hwsim.load("digits_resnet"), hwsim.accelerator("edge_16x16"))


def test_an_uncalibrated_graph_is_priced_but_not_executed():
    graph = hwsim.quantize(hwsim.load("digits_resnet"))
    machine = hwsim.accelerator("edge_16x16")
    assert hwsim.simulate(graph, machine).summary["cycles"] > 0
    with pytest.raises(HwsimError, match="calibrat"):
        hwsim.simulate(graph, machine, {"image": np.zeros((1, 1, 8, 8), np.float32)})


def test_labels_must_fit_the_images():
    graph, machine = quantized("digits_resnet"), hwsim.accelerator("edge_16x16")
    with pytest.raises(ExecutionError, match="digits_resnet: 3 labels for 2 images; give one each"):
        hwsim.simulate(graph, machine, {"image": np.zeros((2, 1, 8, 8), np.float32)}, labels=np.zeros(3))


def test_a_metric_of_the_user_is_called_with_outputs_and_labels():
    def margin(outputs, labels):
        return float(np.mean(outputs["logits"][np.arange(len(labels)), labels]))

    images = {key: value[:10] for key, value in hwsim.dataset("digits_resnet", "test").items()}
    result = hwsim.simulate(quantized("digits_resnet"), hwsim.accelerator("edge_16x16"), images, metric=margin)
    assert set(result.summary["metrics"]) == {"margin", "float_margin"}
    assert metric_of("hwsim.simulation.metrics:accuracy") is accuracy


def _doubled(graph):
    """The same network with twice the weights of its last layer: a bad transform of it."""
    last = next(node for node in graph.nodes if graph.outputs[0] in node.outputs)
    weight, bias = (graph.tensors[name] for name in last.inputs[1:3])
    return graph.with_changes(tensors=[replace(tensor, data=2 * tensor.data) for tensor in (weight, bias)])


def test_quality_is_against_the_network_as_it_came():
    network, images = hwsim.load("digits_mobilenet"), hwsim.dataset("digits_mobilenet", "test")
    images = {name: array[:40] for name, array in images.items()}
    machine, calibration = hwsim.accelerator("edge_16x16"), hwsim.dataset("digits_mobilenet", "calibration")
    graph = hwsim.quantize(_doubled(prepare(network)), calibration=calibration)

    def largest(outputs, labels):
        return float(np.abs(outputs["logits"]).max())

    own = hwsim.simulate(graph, machine, images, metric=largest)
    found = hwsim.simulate(graph, machine, images, metric=largest, reference=network)
    real = run_float(network, {"image": images["image"]})["logits"]
    assert found.summary["metrics"]["float_largest"] == pytest.approx(float(np.abs(real).max()))
    assert own.summary["metrics"]["float_largest"] == pytest.approx(2 * float(np.abs(real).max()))
    noise = float(np.square(found.outputs["logits"].astype(np.float64) - real).sum())
    assert found.summary["sqnr_db"] == pytest.approx(ratio_db(float(np.square(real, dtype=np.float64).sum()), noise))
    assert found.summary["sqnr_db"] < 1 < own.summary["sqnr_db"]
    assert list(found.layers["sqnr_db"]) == list(own.layers["sqnr_db"])
    np.testing.assert_array_equal(found.outputs["logits"], own.outputs["logits"])


def test_the_network_itself_is_the_reference_where_none_is_given():
    images = {name: array[:20] for name, array in hwsim.dataset("digits_resnet", "test").items()}
    graph, machine = quantized("digits_resnet"), hwsim.accelerator("edge_16x16")
    own = hwsim.simulate(graph, machine, images)
    found = hwsim.simulate(graph, machine, images, reference=prepare(hwsim.load("digits_resnet")))
    assert found.summary == own.summary


def test_references_that_cannot_be_compared_with_are_refused():
    graph, machine = quantized("digits_resnet"), hwsim.accelerator("edge_16x16")
    images = {"image": hwsim.dataset("digits_resnet", "test")["image"][:1]}
    with pytest.raises(ExecutionError, match="reference: digits_resnet has grids"):
        hwsim.simulate(graph, machine, images, reference=graph)
    with pytest.raises(ExecutionError, match="reference: squeezenet must have the inputs"):
        hwsim.simulate(graph, machine, images, reference=hwsim.load("squeezenet"))
    network = hwsim.load("digits_resnet")
    other = replace(network, outputs=(network.nodes[0].outputs[0],))
    with pytest.raises(ExecutionError, match="reference: digits_resnet must have the outputs"):
        hwsim.simulate(graph, machine, images, reference=other)
    with pytest.raises(HwsimError, match="compare=False"):
        hwsim.simulate(graph, machine, images, reference=network, compare=False)
