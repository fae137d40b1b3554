"""The cost of whole networks: totals are sums of rows, and nothing is lost between memories."""

import numpy as np
import pytest

import hwsim
from hwsim.cost import cost
from hwsim.schedule import schedule

MACHINES = ("edge_16x16", "edge_16x16_os", "scale_sim_default_32x32")


@pytest.fixture(scope="module", params=["digits_mobilenet", "digits_resnet"])
def graph(request):
    return hwsim.quantize(hwsim.load(request.param))


@pytest.fixture(scope="module", params=MACHINES)
def report(request, graph):
    accelerator = hwsim.accelerator(request.param)
    return cost(graph, accelerator, schedule(graph, accelerator)), accelerator


def test_memories_receive_what_dram_sends(report):
    accesses = report[0].accesses
    moved = {}
    for row in accesses.rows():
        key = row["layer"], row["operand"], row["memory"] == "dram", row["action"]
        moved[key] = moved.get(key, 0) + row["count"] * row["bits"]
    for (layer, operand, dram, action), bits in moved.items():
        if dram and action == "read":
            assert moved[layer, operand, False, "write"] <= bits  # whole bursts
            assert (
                moved[layer, operand, False, "read"] >= moved[layer, operand, False, "write"] or operand == "ifmap"
            )  # a row may hold unread pixels
        if dram and action == "write":
            assert moved[layer, operand, False, "read"] <= bits


def test_layers_are_sums_of_rows(report):
    tables, accelerator = report
    lanes = accelerator.array.rows * accelerator.array.columns
    energy, parts = tables.energy.sum_by("layer", "energy_pj"), {row["layer"]: row for row in tables.cycles.rows()}
    for row in tables.layers.rows():
        layer = row["layer"]
        assert row["energy_pj"] == pytest.approx(energy[layer])
        assert row["cycles"] == sum(value for key, value in parts[layer].items() if key != "layer")
        assert min(value for key, value in parts[layer].items() if key != "layer") >= 0
        dram = tables.accesses.where(layer=layer, memory="dram").rows()
        assert row["dram_bytes"] == sum(a["count"] * a["bits"] for a in dram) / 8
        if row["macs"]:
            assert 0 < row["utilization"] <= 1
            assert row["utilization"] == row["macs"] / (row["cycles"] * lanes)


def test_area_has_every_component_once(report):
    tables, accelerator = report
    names = tables.area["component"]
    assert len(set(names)) == len(names) == 4 + len(accelerator.memory)
    assert min(tables.area["area_um2"]) > 0


def test_narrower_operands_cost_less(graph):
    accelerator = hwsim.accelerator("edge_16x16")
    narrow = hwsim.quantize(hwsim.load(graph.name), weights="int4", activations="uint4")
    wide, less = (cost(g, accelerator, schedule(g, accelerator)) for g in (graph, narrow))
    assert less.layers.sum("cycles") <= wide.layers.sum("cycles")
    for table, column in (("energy", "energy_pj"), ("area", "area_um2"), ("layers", "dram_bytes")):
        assert getattr(less, table).sum(column) < getattr(wide, table).sum(column)


def test_batch_scales_the_work():
    one, four = (hwsim.quantize(hwsim.load("digits_resnet", batch=batch)) for batch in (1, 4))
    accelerator = hwsim.accelerator("edge_16x16")
    small, large = (cost(g, accelerator, schedule(g, accelerator)) for g in (one, four))
    assert large.layers.sum("macs") == 4 * small.layers.sum("macs")
    assert large.layers.sum("cycles") < 4 * small.layers.sum("cycles")
    assert np.isclose(large.area.sum("area_um2"), small.area.sum("area_um2"), rtol=0.05)
