"""Cycles, utilization and SRAM counts equal those of plain loops over SCALE-Sim's demand matrices."""

import pytest
from hypothesis import given, settings

from hwsim.cost.array_cycles import gemm_cycles
from hwsim.cost.scalesim import compute_report, scalesim_array, sram_words, total_cycles
from hwsim.errors import HwsimError
from tests.kernels.scalesim.layers import configs, layers, takes_one_cycle
from tests.kernels.scalesim.twin import blocks, demands


@given(config=configs(), layer=layers())
@settings(deadline=None, max_examples=80)
def test_cycles_and_utilization(config, layer):
    array = scalesim_array(config)
    rows, columns = config.rows, config.columns
    assert total_cycles(array, layer.sizes) == gemm_cycles(array, **layer.sizes).total - 1
    if takes_one_cycle(config, layer):
        with pytest.raises(HwsimError, match="divides by its total"):
            compute_report(array, layer.sizes)
        return
    report = compute_report(array, layer.sizes)
    m, k, n = layer.m, layer.k, layer.n
    along_rows, along_columns, stream = {"ws": (k, n, m), "is": (k, m, n), "os": (m, n, k)}[config.dataflow]
    assert report.cycles == len(demands(config.dataflow, rows, columns, layer)["ofmap"]) - 1
    divisor = rows + columns + stream - 2 if config.dataflow == "os" else 2 * rows + 2 * columns + stream - 3
    mapped = busy = 0
    folds = 0
    for c in blocks(along_columns, columns):
        for r in blocks(along_rows, rows):
            mapped += len(c) * len(r) / (rows * columns)
            busy += len(c) * len(r) * stream / (rows * columns * divisor)
            folds += 1
    # a loop and not sum(), which is compensated from Python 3.12 on
    assert report.mapping_percent == mapped / folds * 100
    assert report.compute_percent == busy / folds * 100
    assert report.overall_percent == m * k * n * 100 / (report.cycles * rows * columns)


@given(config=configs(), layer=layers())
@settings(deadline=None, max_examples=80)
def test_words_at_the_edge(config, layer):
    demand = demands(config.dataflow, config.rows, config.columns, layer)
    if any(layer.overhang):
        return  # missing pixels have no address, yet are counted: see below
    words = {name: sum(entry is not None for row in rows for entry in row) for name, rows in demand.items()}
    if config.dataflow == "os":
        folds = len(blocks(layer.m, config.rows)) * len(blocks(layer.n, config.columns))
        words["ofmap"] += folds * (config.rows + config.columns)
    assert sram_words(scalesim_array(config), layer.sizes) == words


@given(config=configs(), layer=layers())
@settings(deadline=None, max_examples=40)
def test_missing_pixels_are_read(config, layer):
    words = sram_words(scalesim_array(config), layer.sizes)
    across = {"ws": layer.n, "os": layer.n, "is": 1}[config.dataflow]
    assert words["ifmap"] == layer.m * layer.k * -(-across // config.columns)
