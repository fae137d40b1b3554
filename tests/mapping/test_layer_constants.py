"""Constants that travel with the weights: what a column, and what a table, adds to the traffic of a layer."""

from dataclasses import replace
from fractions import Fraction

import pytest

import hwsim
from hwsim.hardware.requantizer_circuit import constant_bits
from hwsim.mapping.layer_constants import column_bits, column_scale_bits, table_bits
from hwsim.mapping.legal import fits
from hwsim.mapping.lower import lower
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import accumulator_bits, on_datapath, scale_bits
from hwsim.numerics.formats import Codebook, parse_format
from hwsim.numerics.granularity import Granularity
from hwsim.numerics.quant_params import QuantParams
from tests.cost.machines import gemm, machine
from tests.mapping.graphs import INT8, UINT8, one

PER_COLUMN = {
    "fixed_point": 40, "fixed_point:16:half_up": 24, "float32": 32, "power_of_two": 8, "vta_shift": 8, "tflite": 40, "nvdla_sdp": 24,
}  # fmt: skip


@pytest.mark.parametrize(("requantizer", "bits"), PER_COLUMN.items())
def test_a_column_stores_what_its_requantizer_is_told(requantizer, bits):
    datapath = machine(datapath={"requantizer": requantizer}).datapath
    work = gemm(3, 8, 5)
    assert column_bits(work, datapath) == 0  # one multiplier is a register
    assert column_bits(replace(work, scales_columns=True), datapath) == bits
    assert column_bits(replace(work, has_bias=True), datapath) == 32
    assert column_bits(replace(work, scales_columns=True, ifmap_asymmetric=True), datapath) == 32 + bits


def test_thresholds_are_a_table_per_column():
    datapath = machine(datapath={"requantizer": "thresholds"}).datapath
    work = replace(gemm(3, 8, 5, bits=(4, 4, 4)), scales_columns=True)
    assert column_bits(work, datapath) == 15 * accumulator_bits(work, datapath)
    assert column_bits(work, datapath) == constant_bits(datapath.requantizer, accumulator_bits(work, datapath), 4)


@pytest.mark.parametrize(("scaling", "left"), [("fixed_point", 40), ("shift", 40), ("float32", 0)])
def test_scales_of_segments_hold_those_of_columns_where_sums_are_real(scaling, left):
    datapath = machine(datapath={"segment_scaling": scaling}).datapath
    work = gemm(3, 8, 5, segments=(4, 4), scales_columns=True)
    assert column_scale_bits(on_datapath(work, datapath), datapath) == left
    whole = replace(work, segments=())
    assert column_scale_bits(whole, datapath) == 40


def test_a_floating_mac_reads_a_scale_per_column_unless_segments_bring_it():
    datapath = machine(datapath={"mac": "floating:fp16:fp32", "psum": "exact", "accumulator": "exact"}).datapath
    work = gemm(3, 8, 5, scales_columns=True)
    assert column_bits(work, datapath) == 32
    assert column_bits(on_datapath(replace(work, segments=(4, 4)), datapath), datapath) == 0


@pytest.mark.parametrize(
    ("weight", "entries"),
    [("int4", 0), ("power4:0.5", 0), ("pot4", 0), ("ternary", 0), ("fp4e2m1", 0), ("power4:0.7@8", 16), ("power3:0.7@8", 8)],
)  # fmt: skip
def test_only_tables_are_filled(weight, entries):
    work = replace(gemm(3, 8, 5), weight=parse_format(weight))
    assert table_bits(work, machine().datapath) == entries * 8


def test_a_table_is_as_wide_as_its_integers():
    book = Codebook(name="codebook2@6", values=(Fraction(-31), Fraction(-7), Fraction(2), Fraction(25)))
    assert table_bits(replace(gemm(3, 8, 5), weight=book), machine().datapath) == 4 * 6


def result_of(weight, result):
    graph = one(
        "MatMul", [(3, 12), (12, 5)], [(3, 5)], constants=("x1",), grids={"x0": UINT8, "x1": weight, "y0": result}
    )
    (task,) = lower(graph)
    return task.work


def per_column(format_, axis, zero_point=0):
    return QuantParams(
        format=format_, granularity=Granularity(axis=axis), scale=(0.5,) * 5, zero_point=(zero_point,) * 5
    )


def test_columns_differ_by_weights_or_results():
    wide = parse_format("int32")
    assert not result_of(INT8, UINT8).scales_columns
    assert result_of(per_column(INT8.format, 1), UINT8).scales_columns
    assert result_of(INT8, per_column(UINT8.format, 1)).scales_columns
    assert result_of(per_column(INT8.format, 1), None).scales_columns  # real results: a unit per column
    assert not result_of(per_column(INT8.format, 1), per_column(wide, 1)).scales_columns  # the sums themselves
    assert result_of(per_column(INT8.format, 1), per_column(wide, 1, zero_point=3)).scales_columns
    assert result_of(per_column(INT8.format, 1), QuantParams(format=wide, scale=(0.5,), zero_point=(0,))).scales_columns


def zero_points_of(work):
    datapath = machine().datapath
    plain = replace(work, weight_zeros="")
    return tuple(bits(work, datapath) - bits(plain, datapath) for bits in (column_bits, scale_bits))


def test_weight_zero_points_of_columns_and_of_groups_are_stored_as_wide_as_weights():
    grouped = Granularity(axis=0, groups=(0,) * 6 + (1,) * 6, by=1)
    groups = QuantParams(format=INT8.format, granularity=grouped, scale=(0.5,) * 10, zero_point=(3,) * 10)
    assert zero_points_of(result_of(QuantParams(format=INT8.format, scale=(0.5,), zero_point=(3,)), UINT8)) == (0, 0)
    assert zero_points_of(result_of(per_column(INT8.format, 1), UINT8)) == (0, 0)
    assert zero_points_of(result_of(per_column(INT8.format, 1, zero_point=3), UINT8)) == (8, 0)
    assert zero_points_of(result_of(groups, UINT8)) == (0, 8)
    assert zero_points_of(result_of(replace(groups, zero_point=(0,) * 10), UINT8)) == (0, 0)


@pytest.mark.parametrize("multiplier_bits", [8, 16, 32])
def test_a_scale_per_channel_costs_its_constants_and_nothing_else(multiplier_bits):
    """Two networks of equal widths, one scale per tensor and per channel: the traffic differs by the stored constants."""
    edge = hwsim.accelerator(
        "edge_16x16", overrides=[f"datapath.requantizer=fixed_point:{multiplier_bits}", "dram.burst_bits=1"]
    )
    network = hwsim.load("digits_mobilenet")
    tensor, channel = (
        hwsim.simulate(hwsim.quantize(network, weight_granularity=granularity), edge)
        for granularity in ("tensor", "channel")
    )
    columns = sum(mapping.gemm.n * mapping.gemm.groups for mapping in channel.plan.mappings.values())
    bits = columns * (multiplier_bits + 8)
    assert channel.summary["dram_bytes"] - tensor.summary["dram_bytes"] == pytest.approx(bits / 8, abs=1)
    assert channel.summary["energy_pj"] > tensor.summary["energy_pj"]
    assert channel.summary["cycles"] >= tensor.summary["cycles"]


def test_a_memory_without_room_for_constants_is_refused():
    work = gemm(3, 8, 5, has_bias=True, scales_columns=True)
    small = machine(size=40 + 5 * 9, buffered=False)
    mapping = Mapping(gemm=work, array=small.array, tile_m=3, tile_k=8, tile_n=5)
    assert fits(mapping, small, small.datapath)
    assert not fits(mapping, machine(size=40 + 5 * 9 - 1, buffered=False), small.datapath)
