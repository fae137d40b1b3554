"""Every number of a layer's report equals that of plain loops over SCALE-Sim's demand matrices and buffers."""

import pytest
from hypothesis import given, settings

from hwsim.errors import HwsimError
from hwsim.interchange.scalesim import Access, ScaleSimConfig, ScaleSimLayer, Topology
from hwsim.simulation.scalesim import report_layer, report_topology
from tests.kernels.scalesim.layers import configs, layers, takes_one_cycle
from tests.kernels.scalesim.twin import Estimator, WriteBuffer, demands

BYTES = 1024


def loops(config, layer):
    """Return cycles, and the traffic by operand at SRAM (without counts) and DRAM."""
    demand = demands(config.dataflow, config.rows, config.columns, layer)
    reads = {operand: Estimator(BYTES // 100).run(demand[operand]) for operand in ("ifmap", "filter")}
    writes = WriteBuffer(BYTES, config.columns).run(demand["ofmap"])
    sram = {name: (read.first_request + 1, read.last_request + 1) for name, read in reads.items()}
    sram["ofmap"] = writes.first, writes.last
    dram = {name: (read.words, read.dram_start, read.dram_stop) for name, read in reads.items()}
    dram["ofmap"] = writes.words, min(writes.drains), max(writes.drains)
    return len(demand["ofmap"]) - 1, sram, dram


@given(config=configs(), layer=layers(most=8))
@settings(deadline=None, max_examples=80)
def test_equals_loops(config, layer):
    if takes_one_cycle(config, layer):
        with pytest.raises(HwsimError, match="takes one cycle"):
            report_layer(config, layer)
        return
    cycles, sram, dram = loops(config, layer)
    report = report_layer(config, layer)
    assert (report.cycles, report.stall_cycles) == (cycles, 0)
    assert {name: (at.start_cycle, at.stop_cycle) for name, at in report.sram.items()} == sram
    assert {name: (at.words, at.start_cycle, at.stop_cycle) for name, at in report.dram.items()} == dram
    first = min(dram["ifmap"][1], dram["filter"][1])
    assert report.prefetch_cycles == dram["ofmap"][2] - first


@given(config=configs(mode="USER"), layer=layers())
@settings(deadline=None, max_examples=30)
def test_user_mode_claims_only_what_does_not_wait(config, layer):
    if takes_one_cycle(config, layer):
        return
    report = report_layer(config, layer)
    assert (report.prefetch_cycles, report.stall_cycles, report.overall_percent) == (None, None, None)
    assert report.cycles == len(demands(config.dataflow, config.rows, config.columns, layer)["ofmap"]) - 1
    assert set(report.dram.values()) == {Access()}
    assert all(at.words and at.start_cycle is None for at in report.sram.values())


def test_an_sram_that_fills_twice_in_a_cycle_is_refused_with_the_layer():
    config = ScaleSimConfig(
        run_name="",
        rows=2,
        columns=1100,
        ifmap_sram_kb=1,
        filter_sram_kb=1,
        ofmap_sram_kb=1,
        dataflow="ws",
        mode="CALC",
    )
    layer = ScaleSimLayer(
        name="fc", ifmap_height=2, ifmap_width=3, filter_height=1, filter_width=3, channels=1, filters=1100, stride=1
    )
    with pytest.raises(HwsimError, match=r"^net: layer 'fc': .* fills twice in one cycle"):
        report_topology(config, Topology(name="net", layers=(layer,)))
