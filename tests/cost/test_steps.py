"""Runs of memory, ports behind the first level and room for constants, by hand; prices of the search against the ledger."""

import numpy as np
import pytest

from hwsim.cost.array_layer import array_cycles, array_layer
from hwsim.cost.energy import access_pj, compute_pj
from hwsim.cost.prices import prices_of
from hwsim.cost.steps import steps_of
from hwsim.cost.traffic import array_reads
from hwsim.cost.transfers import moved_bits
from hwsim.cost.vector_layer import vector_layer
from hwsim.energy import load_table
from hwsim.hardware.accelerator import Accelerator
from hwsim.kernels.timing import COUNTS, Counts
from hwsim.mapping.gemm import Window
from hwsim.mapping.legal import memory_bytes
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.tasks import Stream, VectorWork
from hwsim.schedule.choose import counts_of
from hwsim.schedule.records import records_of
from tests.cost.machines import conv, gemm, machine

IMAGE = Window(
    batch=1, channels=4, in_height=8, in_width=8, out_height=8, out_width=8, kernel=(3, 3), strides=(1, 1),
    dilations=(1, 1), pads=(1, 1, 1, 1),
)  # fmt: skip


def whole(work, accelerator, **keys):
    return Mapping(
        gemm=work, array=accelerator.array, **({"tile_m": work.m, "tile_k": work.k, "tile_n": work.n} | keys)
    )


def dram_bits(mapping, accelerator):
    steps = steps_of(mapping, accelerator)
    links = {"ifmap": steps.loads["ifmap"][0], "weight": steps.loads["weight"][0], "ofmap": steps.stores[-1]}
    return {operand: moved_bits(mapping, moves).tolist() for operand, moves in links.items()}


def test_whole_images_with_all_channels_are_one_run():
    accelerator = machine(dram={"burst_bits": 100})
    bits = dram_bits(whole(conv(IMAGE, n=3), accelerator), accelerator)
    assert bits == {"ifmap": [2100], "weight": [900], "ofmap": [1600]}  # 64 pixels x 4, 36 x 3, 64 x 3 bytes


def test_some_channels_are_a_run_per_pixel_of_the_tile():
    """Tiles of two rows: the first and the last meet three input rows, those between four; two channels are 16 bits of 64."""
    accelerator = machine(dram={"burst_bits": 64})
    mapping = whole(conv(IMAGE, n=3), accelerator, tile_m=16, tile_k=18, order="mnk")
    bits = dram_bits(mapping, accelerator)
    assert bits["ifmap"] == [64 * 8 * rows for rows in (3, 3, 4, 4, 4, 4, 3, 3)]
    assert [b for b in bits["ofmap"] if b] == [16 * 3 * 8 // 64 * 64] * 4


def test_groups_that_travel_together_are_contiguous():
    accelerator = machine(dram={"burst_bits": 64})
    work = conv(Window(**{name: getattr(IMAGE, name) for name in IMAGE.__slots__} | {"channels": 1}), n=1, groups=8)
    alone, pairs, all_of_them = (
        dram_bits(whole(work, accelerator, groups_together=count), accelerator) for count in (1, 2, 8)
    )
    assert alone["ifmap"] == alone["ofmap"] == [64 * 64] * 8  # a burst for every byte
    assert pairs["ifmap"] == pairs["ofmap"] == [64 * 64] * 4
    assert all_of_them["ifmap"] == all_of_them["ofmap"] == [64 * 64]


def test_rows_of_matrices():
    accelerator = machine(dram={"burst_bits": 64})
    mapping = whole(gemm(5, 12, 6, weight_is_activation=True, groups=2), accelerator, tile_k=4, tile_n=3)
    bits = dram_bits(mapping, accelerator)
    assert set(bits["ifmap"]) == {5 * 64}
    assert set(bits["weight"]) == {4 * 64}
    assert set(bits["ofmap"]) == {0, 5 * 64}


@pytest.mark.parametrize(("ports", "least"), [("1r1w", 0), ("1rw", 1)])
def test_a_single_port_behind_the_first_level_serves_both_sides(ports, least):
    base = machine(dram={"bits_per_cycle": 64, "latency_cycles": 0, "separate_writes": True})
    behind = base.memory[0].model_copy(
        update={
            "name": "shared", "holds": ("ifmap", "weight", "ofmap"), "level": 2, "ports": ports,
            "read_bits_per_cycle": 64, "write_bits_per_cycle": 64,
        }
    )  # fmt: skip
    accelerator = Accelerator(**(dict(base) | {"memory": (*base.memory, behind)}))
    mapping = whole(gemm(64, 64, 64), accelerator, tile_m=8)
    total = array_cycles(mapping, accelerator, accelerator.datapath)[0].total
    steps = steps_of(mapping, accelerator)
    through = sum(int(moved_bits(mapping, moves).sum()) for links in steps.loads.values() for moves in links)
    through += sum(int(moved_bits(mapping, moves).sum()) for moves in steps.stores)
    assert (total >= through // 64) or not least
    assert total >= through // 128


def test_constants_take_room_with_the_weights():
    accelerator = machine(buffered=False)
    plain, biased = (whole(gemm(4, 1, 1000, has_bias=bias), accelerator) for bias in (False, True))
    needed = [memory_bytes(mapping, accelerator, accelerator.datapath)["weights"] for mapping in (plain, biased)]
    assert needed == [1000, 5000]


def test_zeros_come_along_with_groups_that_share_the_array():
    accelerator = machine(array={"rows": 4, "columns": 4})
    mapping = whole(gemm(3, 1, 1, groups=5), accelerator, groups_together=5, groups_in_array=4)
    steps = steps_of(mapping, accelerator)
    assert array_reads(mapping, steps, "weight").sum() == 4 * 4 + 1
    assert array_reads(mapping, steps, "ifmap").sum() == 5 * 3


@pytest.mark.parametrize("flow", ["weight_stationary", "input_stationary"])
def test_prices_of_the_search_are_those_of_the_ledger(flow):
    """The energy of two tilings differs by the same in both."""
    registers = {"psum": "int32:wrap", "accumulator": "int32:wrap"}
    accelerator = machine(array={"dataflow": flow}, datapath=registers)
    work = gemm(24, 40, 24, has_bias=True, ifmap_asymmetric=True)
    table = load_table(accelerator.energy_table)
    found = []
    for tile in ({}, {"tile_m": 8, "tile_k": 16}, {"tile_n": 8, "tile_k": 8, "order": "nmk"}):
        mapping = whole(work, accelerator, **tile)
        layer = array_layer(mapping, accelerator, accelerator.datapath)
        accesses = [(access_pj(row, accelerator, table), row.memory == "dram") for row in layer.accesses]
        on_chip = sum(pj for pj, dram in accesses if not dram) + sum(compute_pj(row, table) for row in layer.compute)
        ledger = sum(pj for pj, dram in accesses if dram) + on_chip * (1 + table.clock_overhead)
        prices = prices_of(mapping, accelerator, accelerator.datapath)
        counts = counts_of(records_of(mapping, accelerator, accelerator.datapath), mapping)
        vector = np.zeros(COUNTS)
        vector[Counts.WEIGHT_READS], vector[Counts.IFMAP_READS] = prices.weight_read, prices.ifmap_read
        vector[Counts.PSUM_ACCESSES], vector[Counts.CONSTANT_READS] = prices.psum_access, prices.constant_read
        moved = (*prices.loads, *prices.stores)
        vector[Counts.MOVED : Counts.MOVED + len(moved)] = moved
        found.append((ledger, float(counts @ vector)))
    for ledger, searched in found[1:]:
        assert searched - found[0][1] == pytest.approx(ledger - found[0][0], rel=1e-9)


def test_dram_is_idle_while_the_vector_unit_computes():
    accelerator = machine(vector={"lanes": 1}, dram={"bits_per_cycle": 8, "latency_cycles": 5})
    work = VectorWork(
        operations=(("add", 100),), bits=8, outputs=0,
        reads=(Stream(operand="ifmap", elements=10, bits=8),), writes=(Stream(operand="ofmap", elements=20, bits=8),),
    )  # fmt: skip
    layer = vector_layer(work, accelerator, accelerator.datapath)
    assert (layer.cycles.total, layer.idle_tail) == (100, 70)
