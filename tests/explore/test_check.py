from math import ceil, log2

import numpy as np
import pytest

import hwsim
from hwsim.explore.check import overflow_table
from hwsim.graph import Graph, Node, Tensor
from hwsim.numerics.bounds import exact_range
from hwsim.numerics.formats import IntFormat, bits_for_range
from hwsim.numerics.quant_params import QuantParams
from hwsim.schedule import schedule

GRAPHS = {
    name: hwsim.quantize(hwsim.load(name), calibration=hwsim.dataset(name, "calibration"))
    for name in ("digits_resnet", "digits_mobilenet")
}


def table(name, *overrides, graph=None):
    graph = graph or GRAPHS[name]
    machine = hwsim.accelerator("edge_16x16", overrides=list(overrides))
    return overflow_table(graph, machine, schedule(graph, machine).mappings)


def columns_of(graph, layer):
    weight = graph.tensors[graph.node_of[layer].inputs[1]]
    codes = weight.quant.encode(weight.data).astype(np.int64)
    return codes if codes.ndim == 2 else codes.reshape(len(codes), -1).T


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("zero_point", ["folded", "subtracted"])
def test_weights_tighten_the_bound_of_the_types(name, zero_point):
    for row in table(name, f"datapath.zero_point={zero_point}").rows():
        assert row["psum_bits"] <= row["accumulator_bits"]
        for name in ("psum", "accumulator"):
            assert row[f"{name}_bits"] <= row[f"{name}_l1_bits"] <= row[f"{name}_type_bits"]
            assert row[f"{name}_bits"] <= row[f"{name}_l1_centred_bits"]


@pytest.mark.parametrize("layer", ["stem.conv", "block2.conv1", "head.fc"])
def test_the_accumulator_bound_is_the_exact_range(layer):
    graph = GRAPHS["digits_resnet"]
    columns = columns_of(graph, layer)
    (row,) = (row for row in table("digits_resnet").rows() if row["layer"] == layer)
    assert row["accumulator_bits"] == bits_for_range(*exact_range(columns, 0, 255))
    assert row["is_zero_centred"] == (not columns.sum(axis=0).any())
    norms = np.abs(columns).sum(axis=0) + np.abs(columns.sum(axis=0))
    assert row["accumulator_l1_centred_bits"] == ceil(log2(int(norms.max()) * 255 + 2))


def test_a_preloaded_bias_counts_where_it_has_codes():
    end, start = (table("digits_resnet", f"datapath.bias={side}") for side in ("end", "start"))
    assert all(end["is_bias_counted"] + start["is_bias_counted"])
    wider = [b >= a for a, b in zip(end["accumulator_bits"], start["accumulator_bits"], strict=True)]
    assert all(wider)
    assert start["psum_bits"] == end["psum_bits"]
    graph = GRAPHS["digits_resnet"]
    layer = "head.fc"
    node = graph.node_of[layer]
    zero = graph.tensors[node.inputs[0]].quant.zero_point[0]
    bias = graph.tensors[node.inputs[2]]
    preloaded = bias.quant.encode(bias.data).astype(np.int64) - zero * columns_of(graph, layer).sum(axis=0)
    (row,) = (row for row in start.rows() if row["layer"] == layer)
    assert row["accumulator_bits"] == bits_for_range(*exact_range(columns_of(graph, layer), 0, 255, preloaded))
    uncalibrated = hwsim.quantize(hwsim.load("digits_resnet"))
    assert not any(table("", "datapath.bias=start", graph=uncalibrated)["is_bias_counted"])


def test_a_multiplier_brings_its_own_bounds(tmp_path):
    exact = table("digits_resnet")
    same = table("digits_resnet", "datapath.multiplier=operator:mul")
    for name in ("psum_bits", "accumulator_bits", "is_safe"):
        assert same[name] == exact[name]
    assert set(same["psum_l1_bits"] + same["accumulator_l1_centred_bits"]) == {None}
    less = table("digits_resnet", "datapath.multiplier=mitchell")
    assert all(a <= b for a, b in zip(less["accumulator_bits"], exact["accumulator_bits"], strict=True))
    np.save(tmp_path / "huge.npy", np.full((256, 256), 2**30))
    huge = table("digits_resnet", f"datapath.multiplier={tmp_path / 'huge.npy'}")
    assert not any(huge["is_safe"])


@pytest.mark.parametrize("name", GRAPHS)
def test_a_register_that_is_called_safe_never_overflows_and_the_bound_is_sharp(name):
    rows = list(table(name).rows())
    images = {"image": hwsim.dataset(name, "test")["image"][:30]}
    widest = max(row["accumulator_bits"] for row in rows)
    psum = max(row["psum_bits"] for row in rows)
    safe = hwsim.accelerator(
        "edge_16x16", overrides=[f"datapath.accumulator=int{widest}:saturate", f"datapath.psum=int{psum}:saturate"]
    )
    assert all(overflow_table(GRAPHS[name], safe, schedule(GRAPHS[name], safe).mappings)["is_safe"])
    assert hwsim.simulate(GRAPHS[name], safe, images).summary["overflow_events"] == 0
    narrow = hwsim.accelerator("edge_16x16", overrides=[f"datapath.accumulator=int{widest - 1}:saturate"])
    assert not all(overflow_table(GRAPHS[name], narrow, schedule(GRAPHS[name], narrow).mappings)["is_safe"])


@pytest.mark.parametrize("zero_point", ["folded", "subtracted"])
def test_products_of_two_activations_are_bounded_by_their_types(zero_point):
    """Their weights need no scale, and a zero point that waits for the run may be any code."""
    number, shape = IntFormat.parse("uint8"), (1, 40, 40)
    grids = {"known": QuantParams(format=number), "late": QuantParams(format=number, is_found_at_run_time=True)}
    rows = {}
    for name, grid in grids.items():
        tensors = {each: Tensor(name=each, shape=shape, quant=grid) for each in ("a", "b")}
        tensors["y"] = Tensor(name="y", shape=shape, quant=QuantParams(format=IntFormat(bits=32)))
        node = Node(name="n", op="MatMul", inputs=("a", "b"), outputs=("y",))
        graph = Graph(name="g", nodes=(node,), tensors=tensors, inputs=("a", "b"), outputs=("y",))
        (rows[name],) = table("", f"datapath.zero_point={zero_point}", "datapath.bias=start", graph=graph).rows()
    assert rows["known"]["accumulator_bits"] == bits_for_range(0, 40 * 255**2)
    lowest = -40 * 255**2 if zero_point == "subtracted" else 0
    assert rows["late"]["accumulator_bits"] == bits_for_range(lowest, 40 * 255**2)
    assert [row["is_bias_counted"] for row in rows.values()] == [zero_point == "subtracted"] * 2
