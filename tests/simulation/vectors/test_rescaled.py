"""Golden vectors of sums whose scales change along k: an independent replay from the hex files alone, and the test bench."""

import numpy as np
import pytest

from hwsim.simulation.vectors import write_vectors
from tests.integers import every_tensor
from tests.simulation.vectors.layers import FLOWS, images, machine, written
from tests.simulation.vectors.replay import Files, replay
from tests.simulation.vectors.rescaled import product
from tests.simulation.vectors.test_testbench import equal_words, needs_iverilog, simulated

CHOICES = {
    "fixed point": ({}, {"segment_scaling": "fixed_point:16:8", "bias": "start"}),
    "narrow registers": (
        {},
        {"segment_scaling": "fixed_point:7:3:half_even", "psum": "int9:saturate", "accumulator": "int12:wrap"},
    ),
    "subtracted": ({}, {"segment_scaling": "fixed_point:9:2:floor", "zero_point": "subtracted"}),
    "symmetric": ({"symmetric": True, "by_channel": False}, {"segment_scaling": "fixed_point:16:8", "bias": "end"}),
    "shift": ({"power_of_two": True}, {"segment_scaling": "shift:2:half_away", "accumulator": "int14:saturate"}),
    "float32": ({}, {"segment_scaling": "float32", "bias": "start"}),
    "float32, subtracted": ({}, {"segment_scaling": "float32", "bias": "end", "zero_point": "subtracted"}),
}


def drawn(name, op, flow, folder, *, output="int8"):
    rng = np.random.default_rng([len(name), len(op), FLOWS.index(flow)])
    choices, datapath = CHOICES[name]
    graph = product(rng, op, output=output, **choices)
    accelerator, inputs = machine(flow, memory=400, **datapath), images(rng, graph, graph.batch)
    return graph, accelerator, inputs, written(graph, accelerator, inputs, folder)


def as_rows(values):
    return values.transpose(0, 2, 3, 1).reshape(-1, values.shape[1]) if values.ndim == 4 else values


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("op", ["Gemm", "Conv1", "Conv3", "ConvTranspose"])
@pytest.mark.parametrize("name", CHOICES)
def test_the_files_alone_give_the_result(name, op, flow, tmp_path):
    graph, accelerator, inputs, _ = drawn(name, op, flow, tmp_path)
    found = replay(tmp_path)
    output = as_rows(every_tensor(graph, accelerator, inputs)["y"])
    results = np.array([[found[0, i, j] for j in range(output.shape[1])] for i in range(len(output))])
    np.testing.assert_array_equal(results, output)


@pytest.mark.parametrize("name", ["fixed point", "float32"])
def test_real_results(name, tmp_path):
    graph, accelerator, inputs, _ = drawn(name, "Gemm", FLOWS[0], tmp_path, output="")
    found = replay(tmp_path)
    for (_, i, j), value in found.items():
        assert every_tensor(graph, accelerator, inputs)["y"][i, j] == np.float32(value)


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("op", ["Gemm", "Conv3"])
def test_operands_and_order_are_those_of_the_network(op, flow, tmp_path):
    """What is multiplied is the weight tensor in ``k_order``, and a fold's channels have one scale."""
    graph, _, _, found = drawn("fixed point", op, flow, tmp_path)
    order, weight = found.arrays["k_order"], found.arrays["weight"]
    columns = weight.reshape(len(weight), -1).T if op == "Conv3" else weight
    np.testing.assert_array_equal(found.arrays["weight_matrix"][0], columns[order])
    assert sorted(order) == list(range(len(columns)))
    taps = 9 if op == "Conv3" else 1
    groups = np.array(graph.tensors["w"].quant.granularity.groups)[order // taps]
    np.testing.assert_array_equal(found.entry["tensors"]["weight"]["scale_groups"], groups[np.argsort(order)][::taps])
    folds = np.split(groups, np.cumsum(found.arrays["fold_lengths"])[:-1])
    assert all(len(set(fold)) == 1 for fold in folds)


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("name", [name for name in CHOICES if not name.startswith("float32")])
@needs_iverilog
def test_the_bench_rescales(name, flow, tmp_path):
    """Partial sums, terms, accumulators, sums and results."""
    *_, found = drawn(name, "Conv3", flow, tmp_path)
    folds, outputs = found.arrays["psum"].shape[0], found.arrays["sum"].size
    assert equal_words(found) == 3 * folds * outputs + 2 * outputs


@pytest.mark.parametrize("name", ["array_term", "segment_multiplier", "fold_segment", "fold_ifmap_sum"])
@needs_iverilog
def test_the_bench_finds_one_wrong_file(name, tmp_path):
    *_, found = drawn("fixed point", "Conv3", FLOWS[0], tmp_path)
    path = found.folder / found.entry["folder"] / f"{name}.hex"
    lines = path.read_text("utf-8").splitlines()
    head = [line for line in lines if line.startswith("//")]
    words = " ".join(lines[len(head) :]).split()
    flipped = [format(int(word, 16) ^ 1, f"0{len(word)}x") for word in words]
    path.write_text("\n".join([*head, " ".join(flipped)]) + "\n", "utf-8")
    code, output = simulated(found.folder, found.entry)
    assert "FAIL" in output
    assert code != 0


@needs_iverilog
def test_the_bench_stops_before_a_float_scaler(tmp_path):
    *_, found = drawn("float32", "Gemm", FLOWS[0], tmp_path)
    assert equal_words(found) == found.arrays["psum"].size
    assert "checked up to the psum" in simulated(found.folder, found.entry)[1]


def test_a_limit_cuts_constants_and_columns_alike(tmp_path):
    graph, accelerator, inputs, whole = drawn("fixed point", "Conv3", FLOWS[0], tmp_path / "whole")
    write_vectors(graph, accelerator, inputs, tmp_path / "part", limit=whole.arrays["ifmap_matrix"].size // 2)
    files = Files(tmp_path / "part")
    assert files.entry["written"]["whole"] is False
    assert replay(tmp_path / "part")
    assert files.shape["segment_multiplier"][1:] == [files.shape["sum"][0], files.shape["sum"][2]]
