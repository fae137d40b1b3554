"""What segments of k cost: folds, scalers and their scales; nothing where one scale serves the whole of k."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hwsim
from hwsim.cost import cost
from hwsim.cost.area import area_table
from hwsim.cost.array_layer import array_cycles, array_layer
from hwsim.cost.array_work import array_work
from hwsim.cost.energy import access_pj, component_of, compute_pj
from hwsim.cost.prices import prices_of
from hwsim.cost.steps import steps_of
from hwsim.cost.traffic import psum_accesses, scale_reads
from hwsim.energy import load_table
from hwsim.errors import MappingError
from hwsim.kernels.timing import COUNTS, Counts
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import on_datapath
from hwsim.numerics.granularity import Granularity
from hwsim.schedule import schedule
from hwsim.schedule.choose import counts_of
from hwsim.schedule.estimate import Estimator
from hwsim.schedule.records import records_of
from tests.cost.machines import FLOWS, gemm, machine

TABLE = load_table("generic_45nm")
SCALINGS = ("fixed_point:16:8", "shift:8", "float32")


def whole(work, accelerator, **keys):
    sizes = {"tile_m": work.m, "tile_k": work.k, "tile_n": work.n} | keys
    return Mapping(gemm=on_datapath(work, accelerator.datapath), array=accelerator.array, **sizes)


def groups_of(size, k):
    return {"segments": (size,) * (k // size)}


def ample(**keys):
    """A 16 x 16 array that memory never makes wait for long."""
    return machine(
        array={"rows": 16, "columns": 16} | keys.pop("array", {}), port=1 << 16,
        dram={"bits_per_cycle": 1 << 16, "latency_cycles": 0}, **keys,
    )  # fmt: skip


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize(("size", "times"), [(256, 1), (64, 1), (16, 1), (8, 2), (4, 4), (1, 16)])
def test_groups_below_the_rows_pay_in_folds(flow, size, times):
    """Rows hold k where an operand that carries it stays; where outputs stay only the drains between segments show."""
    accelerator = ample(array={"dataflow": flow, "drain": "none"})
    plain, cut = (
        array_cycles(whole(gemm(64, 256, 64, **keys), accelerator), accelerator, accelerator.datapath)[0]
        for keys in ({}, groups_of(size, 256))
    )
    if flow == "output_stationary":
        times = 1
    assert cut.compute == times * plain.compute
    if times == 1:
        assert (cut.fill, cut.drain) == (plain.fill, plain.drain)


def test_drains_between_short_segments_show_where_outputs_stay():
    accelerator = ample(array={"dataflow": "output_stationary", "drain": "down"})
    found = {
        size: array_cycles(
            whole(gemm(64, 256, 64, **groups_of(size, 256)), accelerator), accelerator, accelerator.datapath
        )[0]
        for size in (256, 64, 16, 8)
    }
    assert found[256].compute == found[8].compute
    assert found[256].drain == found[64].drain == found[16].drain
    assert found[8].drain - found[16].drain == (16 - 8) * (16 * 32 - 1)  # before every fold but the first


@given(st.data())
def test_folds_are_those_of_every_segment_by_itself(data):
    """m ceil(n / C) sum over segments of ceil(size / R), as SCALE-Sim counts one product."""
    cuts = data.draw(st.lists(st.integers(1, 70), min_size=1, max_size=8))
    m, n = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 70))
    accelerator = ample()
    mapping = whole(gemm(m, sum(cuts), n, segments=tuple(cuts)), accelerator)
    cycles = array_cycles(mapping, accelerator, accelerator.datapath)[0]
    assert cycles.compute == m * -(-n // 16) * sum(-(-size // 16) for size in cuts)
    assert len(mapping.k_segments) == sum(-(-size // 16) for size in cuts)


@pytest.mark.parametrize("burst", [1, 256])
def test_a_tile_of_many_segments_is_one_transfer(burst):
    """Latency is paid once, and weights and scales are a run each."""
    accelerator = machine(dram={"bits_per_cycle": 64, "latency_cycles": 100, "burst_bits": burst})
    plain, cut = (whole(gemm(4, 256, 4, **keys), accelerator) for keys in ({}, groups_of(8, 256)))
    stalls = [array_cycles(one, accelerator, accelerator.datapath)[0].stall_weight for one in (plain, cut)]
    assert len(steps_of(cut, accelerator).m) == 1
    assert stalls[1] == stalls[0] + 32 * 4 * 16 // 64
    bits = {
        row.operand: row.count * row.bits
        for row in array_layer(cut, accelerator, accelerator.datapath).accesses
        if row.memory == "dram"
    }
    assert (bits["weight"], bits["scale"]) == (256 * 4 * 8, 32 * 4 * 16)


@pytest.mark.parametrize("flow", FLOWS)
def test_one_segment_costs_what_none_does(flow):
    accelerator = machine(array={"dataflow": flow}, datapath={"psum": "exact", "accumulator": "exact"})
    plain, one = (whole(gemm(9, 20, 7, **keys), accelerator, tile_k=8) for keys in ({}, {"segments": (20,)}))
    assert array_layer(one, accelerator, accelerator.datapath) == array_layer(plain, accelerator, accelerator.datapath)


def rows_of(work, **datapath):
    accelerator = machine(datapath={"psum": "exact"} | datapath)
    mapping = whole(work, accelerator)
    return array_work(mapping, steps_of(mapping, accelerator), accelerator.datapath)


def test_every_fold_and_output_passes_a_scaler():
    work = gemm(6, 12, 5, segments=(6, 3, 3), groups=2)  # folds of 4, 2, 3 and 3
    sums = 6 * 5 * 4 * 2
    expected = {
        "fixed_point:12:8": ("multiply", 12, TABLE.multiply_pj(18, 12) + TABLE.add_pj(18 + 12)),
        "shift:8": ("shift", 8, TABLE.requantize_pj("power_of_two", 18)),
        "float32": ("float_multiply", 32, TABLE.float_multiply_pj(8, 23) + TABLE.float_add_pj(8, 23) * 18 / 32),
    }
    for scaling, (action, second, price) in expected.items():
        (row,) = (row for row in rows_of(work, segment_scaling=scaling) if row.unit == "segment_scaler")
        assert (row.action, row.count, row.a_bits, row.b_bits) == (action, sums, 18, second)
        assert compute_pj(row, TABLE) == pytest.approx(sums * price)
        assert component_of(row) == ("segment_scalers", "psum")
    assert not [row for row in rows_of(gemm(6, 12, 5)) if row.unit == "segment_scaler"]


def test_a_float_accumulator_adds_floats():
    work = gemm(6, 12, 5, segments=(6, 6))
    rows = {row.unit: row for row in rows_of(work, segment_scaling="float32")}
    added = rows["accumulator"]
    assert (added.action, added.a_bits, added.count) == ("float_add", 32, 6 * 5 * 3)
    assert compute_pj(added, TABLE) == pytest.approx(90 * TABLE.float_add_pj(8, 23))


def test_a_column_sum_joins_every_fold():
    work = gemm(6, 12, 5, segments=(6, 6), weight_asymmetric=True)
    found = {row.action: row for row in rows_of(work) if row.unit == "column_sum"}
    assert {action: row.count for action, row in found.items()} == {"add": 6 * 12 + 6 * 5 * 4, "multiply": 6 * 5 * 4}
    plain = [row.count for row in rows_of(replace(work, segments=())) if row.unit == "column_sum"]
    assert plain == [6 * 12 + 6 * 5, 6 * 5]


def areas(work, **datapath):
    accelerator = machine(array={"columns": 6}, datapath={"psum": "exact"} | datapath)
    table = area_table(accelerator, TABLE, {"layer": whole(work, accelerator)})
    return dict(zip(table["component"], table["area_um2"], strict=True))


@pytest.mark.parametrize("scaling", SCALINGS)
def test_a_scaler_under_every_column_takes_area(scaling):
    work = gemm(6, 12, 5, segments=(6, 6))
    plain, cut = areas(replace(work, segments=()), segment_scaling=scaling), areas(work, segment_scaling=scaling)
    assert "segment_scalers" not in plain
    second = {"fixed_point:16:8": 16, "shift:8": 8, "float32": 32}[scaling]
    logic = {
        "fixed_point:16:8": TABLE.multiplier_area_um2(18, 16) + TABLE.adder_area_um2(34),
        "shift:8": TABLE.requantizer_area_um2("power_of_two", 18),
        "float32": TABLE.float_multiplier_area_um2(8, 23) + TABLE.float_adder_area_um2(8, 23) * (1 + 18 / 32),
    }[scaling]
    assert cut["segment_scalers"] == pytest.approx(6 * (logic + TABLE.register_area_um2(second)))
    assert {name: area for name, area in cut.items() if name != "segment_scalers"} == plain


def test_a_mapping_of_another_scaling_is_refused():
    work = gemm(6, 12, 5, segments=(6, 6), shares_scales=True)
    accelerator, other = machine(), machine(datapath={"segment_scaling": "float32"})
    mapping = whole(work, accelerator)
    assert on_datapath(work, other.datapath).shares_scales is False  # each column has a real scale of its own
    with pytest.raises(MappingError, match="its segments were not made for mac = fixed with segment_scaling = float32"):
        array_work(mapping, steps_of(mapping, other), other.datapath)


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("flow", ["weight_stationary", "input_stationary"])
@pytest.mark.parametrize("shares", [False, True])
def test_the_search_sees_the_energy_of_the_ledger(flow, scaling, shares):
    """Arithmetic, scales and partial sums of tilings differ by the same in both, and segments differ from none."""
    registers = {"psum": "int32:wrap", "accumulator": "int32:wrap", "bias": "start", "segment_scaling": scaling}
    accelerator = machine(array={"dataflow": flow}, datapath=registers)
    work = gemm(
        24, 40, 24, has_bias=True, ifmap_asymmetric=True, weight_asymmetric=True, segments=(3, 17, 20),
        shares_scales=shares,
    )  # fmt: skip
    datapath, found = accelerator.datapath, []
    for tile in ({}, {"tile_m": 8, "tile_k": 16}, {"tile_n": 8, "tile_k": 8, "order": "nmk"}, {"tile_k": 1}):
        mapping = whole(work, accelerator, **tile)
        layer = array_layer(mapping, accelerator, datapath)
        accesses = [(access_pj(row, accelerator, TABLE), row.memory == "dram") for row in layer.accesses]
        on_chip = sum(pj for pj, dram in accesses if not dram) + sum(compute_pj(row, TABLE) for row in layer.compute)
        ledger = sum(pj for pj, dram in accesses if dram) + on_chip * (1 + TABLE.clock_overhead)
        prices = prices_of(whole(work, accelerator), accelerator, datapath)
        counts = counts_of(records_of(mapping, accelerator, datapath), mapping)
        vector = np.zeros(COUNTS)
        vector[Counts.WEIGHT_READS], vector[Counts.IFMAP_READS] = prices.weight_read, prices.ifmap_read
        vector[Counts.PSUM_ACCESSES], vector[Counts.CONSTANT_READS] = prices.psum_access, prices.constant_read
        vector[Counts.SCALE_READS] = prices.scale_read
        moved = (*prices.loads, *prices.stores)
        vector[Counts.MOVED : Counts.MOVED + len(moved)] = moved
        found.append((ledger, float(counts @ vector) + prices.fixed))
        steps = steps_of(mapping, accelerator)
        assert counts[Counts.SCALE_READS] == scale_reads(mapping, steps).sum()
        assert counts[Counts.PSUM_ACCESSES] == psum_accesses(mapping, steps, datapath).sum()
    for ledger, searched in found[1:]:
        assert searched - found[0][1] == pytest.approx(ledger - found[0][0], rel=1e-9)


def grouped(graph, size):
    """The network with a scale for every ``size`` input channels of its products."""
    changed = []
    for node in graph.nodes:
        if node.op not in ("Conv", "Gemm", "MatMul"):
            continue
        weight = graph.tensors[node.inputs[1]]
        axis, by = (1, 0) if node.op == "Conv" else (0, 1)
        if weight.shape[axis] > size:
            runs = Granularity.of_runs(axis, weight.shape[axis], size, by=by)
            count = int(np.prod(runs.scale_shape(weight.shape)))
            grid = replace(weight.quant, granularity=runs, scale=(0.01,) * count, zero_point=(0,) * count)
            changed.append(replace(weight, quant=grid))
    assert changed
    return graph.with_changes(tensors=changed)


@pytest.mark.parametrize("machine_name", ["edge_16x16", "gemmini_16x16_os"])
def test_a_network_is_priced_searched_and_estimated_alike(machine_name):
    accelerator = hwsim.accelerator(machine_name)
    plain = hwsim.quantize(hwsim.load("digits_mobilenet"))
    totals = {}
    for size in (None, 16, 4):
        graph = plain if size is None else grouped(plain, size)
        plan = schedule(graph, accelerator)
        report = cost(graph, accelerator, plan)
        estimate = Estimator(graph, accelerator, plan)(accelerator)
        assert estimate.cycles == report.layers.sum("cycles")
        totals[size] = report.layers.sum("compute_cycles"), report.energy.sum("energy_pj")
        assert ("segment_scalers" in report.area["component"]) == (size is not None)
        scales = [row for row in report.accesses.rows() if row["operand"] == "scale" and row["memory"] == "dram"]
        assert bool(scales) == (size is not None)
    if machine_name == "edge_16x16":
        assert totals[None][0] == totals[16][0] < totals[4][0]
    assert totals[None][1] < totals[16][1] < totals[4][1]
