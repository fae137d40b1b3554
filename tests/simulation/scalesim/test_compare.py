"""SCALE-Sim's totals beside hwsim's: the reasons that are given are the reasons."""

from pathlib import Path

import pytest

from hwsim.interchange.scalesim import ScaleSimConfig, ScaleSimLayer, Topology
from hwsim.simulation.scalesim import compare, report_topology

GOLDEN = Path(__file__).parent / "golden"


def config_of(dataflow, mode="CALC"):
    return ScaleSimConfig(
        run_name="machine",
        rows=8,
        columns=4,
        ifmap_sram_kb=64,
        filter_sram_kb=64,
        ofmap_sram_kb=64,
        dataflow=dataflow,
        mode=mode,
        words_per_cycle=10,
    )


def product(m, k, n):
    return ScaleSimLayer(
        name="product",
        ifmap_height=m,
        ifmap_width=k,
        filter_height=1,
        filter_width=k,
        channels=1,
        filters=n,
        stride=1,
        is_gemm=True,
    )


def compared(dataflow, layers, mode="CALC"):
    config, topology = config_of(dataflow, mode), Topology(name="net", layers=tuple(layers))
    return {row.name: row for row in compare(config, topology, report_topology(config, topology))}


@pytest.mark.parametrize("dataflow", ["ws", "is", "os"])
def test_a_layer_that_fits_differs_by_the_named_defects_only(dataflow):
    m, k, n = 20, 30, 9
    rows = compared(dataflow, [product(m, k, n)] * 2)
    folds = {"ws": 4 * 3, "is": 4 * 5, "os": 3 * 3}[dataflow]
    drain = 8 * folds if dataflow == "os" else 0
    assert rows["array cycles"].hwsim == rows["array cycles"].scalesim + 2 * (1 + drain)
    assert rows["SRAM ofmap writes"].hwsim == 2 * m * n
    imagined = folds * (8 + 4) if dataflow == "os" else 0
    planes = 1 if dataflow == "os" else 4
    assert rows["SRAM ofmap writes"].scalesim == 2 * (planes * m * n + imagined)
    for name in ("SRAM ifmap reads", "SRAM filter reads"):
        assert rows[name].hwsim == rows[name].scalesim
        assert not rows[name].why
    assert rows["DRAM ofmap writes"].hwsim == 2 * m * n
    assert rows["stall cycles"].scalesim == 0 < rows["stall cycles"].hwsim
    assert rows["array cycles"].why
    assert rows["stall cycles"].why


def test_user_mode_has_no_stalls_to_compare():
    rows = compared("ws", [product(20, 30, 9)], mode="USER")
    assert rows["stall cycles"].scalesim is None
    assert rows["DRAM filter reads"].scalesim is None
    assert rows["array cycles"].scalesim == 12 * (2 * 8 + 4 + 20 - 2) - 1
