import numpy as np
import pytest

import hwsim
from hwsim.explore.check import overflow_table
from hwsim.numerics.bounds import exact_range
from hwsim.numerics.formats import bits_for_range
from hwsim.schedule import schedule

GRAPHS = {
    name: hwsim.quantize(hwsim.load(name), calibration=hwsim.dataset(name, "calibration"))
    for name in ("digits_resnet", "digits_mobilenet")
}


def table(name, *overrides):
    machine = hwsim.accelerator("edge_16x16", overrides=list(overrides))
    return overflow_table(GRAPHS[name], machine, schedule(GRAPHS[name], machine))


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("zero_point", ["folded", "subtracted"])
def test_weights_tighten_the_bound_of_the_types(name, zero_point):
    for row in table(name, f"datapath.zero_point={zero_point}").rows():
        assert row["psum_bits"] <= row["accumulator_bits"] <= row["accumulator_type_bits"] + 1
        assert row["psum_bits"] <= row["psum_type_bits"] + 1


@pytest.mark.parametrize("layer", ["stem.conv", "block2.conv1", "head.fc"])
def test_the_accumulator_bound_is_the_exact_range(layer):
    graph = GRAPHS["digits_resnet"]
    weight = graph.tensors[graph.node_of[layer].inputs[1]]
    codes = weight.quant.encode(weight.data).astype(np.int64)
    columns = codes if layer == "head.fc" else codes.reshape(len(codes), -1).T
    (row,) = (row for row in table("digits_resnet").rows() if row["layer"] == layer)
    assert row["accumulator_bits"] == bits_for_range(*exact_range(columns, 0, 255))


@pytest.mark.parametrize("name", GRAPHS)
def test_a_register_that_is_called_safe_never_overflows_and_the_bound_is_sharp(name):
    rows = list(table(name).rows())
    images = {"image": hwsim.dataset(name, "test")["image"][:30]}
    widest = max(row["accumulator_bits"] for row in rows)
    psum = max(row["psum_bits"] for row in rows)
    safe = hwsim.accelerator(
        "edge_16x16", overrides=[f"datapath.accumulator=int{widest}:saturate", f"datapath.psum=int{psum}:saturate"]
    )
    assert all(overflow_table(GRAPHS[name], safe, schedule(GRAPHS[name], safe))["is_safe"])
    assert hwsim.simulate(GRAPHS[name], safe, images).summary["overflow_events"] == 0
    narrow = hwsim.accelerator("edge_16x16", overrides=[f"datapath.accumulator=int{widest - 1}:saturate"])
    assert not all(overflow_table(GRAPHS[name], narrow, schedule(GRAPHS[name], narrow))["is_safe"])
