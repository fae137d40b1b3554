"""Along which dimensions of a Gemm its finished sums have scales of their own, and what those cost."""

from collections import Counter
from dataclasses import replace

import pytest

import hwsim
from hwsim.mapping.layer_constants import column_bits, position_bits, position_words
from hwsim.mapping.legal import fits
from hwsim.mapping.lower import lower
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import on_datapath
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import Granularity
from tests.cost.machines import gemm, machine
from tests.graph.test_positions import HEADS, axis, product

BOTH = Granularity(axis=2, by=1, groups=(0, 1, 2, 3))
TOKENS = (1, 4, 8), (8, 5), (1, 4, 5)
SEVERAL = (2, 3, 4, 8), (2, 3, 8, 5), (2, 3, 4, 5)


def scales_of(*shapes, **keys):
    (task,) = lower(product(*shapes, **keys)[0])
    work = task.work
    return work.scales_columns, work.scales_rows, work.scales_groups


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({}, (False, 1, False)),
        ({"a_grid": axis(2)}, (False, 4, False)),
        ({"a_grid": axis(1)}, (False, 1, True)),
        ({"b_grid": axis(1)}, (False, 1, True)),
        ({"b_grid": axis(3)}, (True, 1, False)),
        ({"y_grid": axis(3)}, (True, 1, False)),
        ({"a_grid": BOTH}, (False, 4, True)),
        ({"a_grid": axis(2), "b_grid": axis(1), "y_grid": axis(3)}, (True, 4, True)),
        ({"a_grid": axis(3), "y_grid": axis(2)}, (False, 4, False)),  # segments, and rows of the result
    ],
)
def test_of_batched_products(keys, found):
    for shapes in (HEADS, SEVERAL):  # images share their scales
        assert scales_of(*shapes, **keys) == found


def test_rows_that_meet_one_matrix_count_tokens_not_images():
    shapes = (2, 4, 8), (8, 5), (2, 4, 5)
    assert scales_of(*shapes, a_grid=axis(1), constant=True) == (False, 4, False)
    assert scales_of(*shapes, a_grid=axis(1), b_grid=axis(1), constant=True) == (True, 4, False)
    heads = (2, 3, 4, 8), (8, 5), (2, 3, 4, 5)
    assert scales_of(*heads, a_grid=axis(1), constant=True) == (False, 3, False)
    assert scales_of(*heads, a_grid=BOTH, constant=True) == (False, 12, False)


def test_a_dimension_of_one_has_no_scales_of_its_own():
    assert scales_of((1, 3, 1, 8), (1, 3, 8, 5), (1, 3, 1, 5), a_grid=axis(2)) == (False, 1, False)
    assert scales_of((1, 1, 4, 8), (1, 1, 8, 5), (1, 1, 4, 5), b_grid=axis(1)) == (False, 1, False)


@pytest.mark.parametrize(
    ("keys", "words", "columns"),
    [
        ({}, 0, 0),
        ({"scales_columns": True}, 0, 40),
        ({"scales_groups": True}, 1, 0),
        ({"scales_groups": True, "scales_columns": True}, 0, 40),  # a group's columns have their own in any case
        ({"scales_rows": 3}, 3, 0),
        ({"scales_rows": 3, "scales_groups": True}, 3, 0),
        ({"scales_rows": 3, "scales_columns": True}, 15, 0),  # an output meets a single multiplier
    ],
)
def test_words_of_a_group(keys, words, columns):
    work, datapath = gemm(6, 8, 5, groups=2, **keys), machine().datapath
    assert (position_words(work, datapath), column_bits(work, datapath)) == (words, columns)
    assert position_bits(work, datapath) == (40 if words else 0)


def test_a_floating_mac_meets_rows_and_columns_one_by_one():
    datapath = machine(datapath={"mac": "floating:fp16:fp32", "psum": "exact", "accumulator": "exact"}).datapath
    work = gemm(6, 8, 5, scales_rows=3, scales_columns=True)
    assert (position_words(work, datapath), position_bits(work, datapath), column_bits(work, datapath)) == (3, 32, 32)


def test_real_sums_of_segments_still_need_the_scales_of_rows():
    datapath = machine(datapath={"segment_scaling": "float32"}).datapath
    work = on_datapath(gemm(6, 8, 5, segments=(4, 4), scales_rows=3), datapath)
    assert position_bits(work, datapath) == 32


@pytest.mark.parametrize(("groups", "owners"), [(False, 1), (True, 2)])
def test_a_memory_without_room_for_them_is_refused(groups, owners):
    work = gemm(6, 8, 5, groups=2, scales_rows=6, scales_groups=groups)
    needed = 2 * 40 + owners * 6 * 5
    small = machine(size=max(needed, 2 * 48), buffered=False)
    mapping = Mapping(gemm=work, array=small.array, tile_m=1, tile_k=8, tile_n=5, groups_together=1)
    together = Mapping(gemm=work, array=small.array, tile_m=6, tile_k=8, tile_n=5, groups_together=2)
    assert fits(mapping, small, small.datapath)
    sizes = [size for size in range(60, 400) if fits(together, sized(size), small.datapath)]
    assert min(sizes) == needed


def sized(weight_bytes):
    """A machine whose weight memory alone is small."""
    found = machine(buffered=False)
    memories = [
        memory.model_copy(update={"size_bytes": weight_bytes}) if "weight" in memory.holds else memory
        for memory in found.memory
    ]
    return found.model_copy(update={"memory": tuple(memories)})


@pytest.mark.parametrize(
    ("keys", "constants"),
    [
        ({"a_grid": axis(2)}, 4),
        ({"a_grid": axis(1)}, 3),
        ({"b_grid": axis(1), "y_grid": axis(1)}, 3),
        ({"a_grid": BOTH}, 12),
        ({"b_grid": axis(3)}, 15),
        ({"a_grid": axis(2), "b_grid": axis(3)}, 20),
        ({"a_grid": axis(2), "b_grid": axis(1), "y_grid": axis(3)}, 60),
    ],
)
def test_scales_by_position_cost_their_constants_and_nothing_else(keys, constants):
    edge = hwsim.accelerator("edge_16x16", overrides=["dram.burst_bits=1", "datapath.requantizer=fixed_point:16"])
    one, many = (hwsim.simulate(product(*HEADS, **found)[0], edge) for found in ({}, keys))
    rows = [
        Counter(tuple(row.values()) for row in result.accesses.rows() if row["operand"] != "constants")
        for result in (one, many)
    ]
    assert rows[0] == rows[1]
    assert list(one.compute.rows()) == list(many.compute.rows())
    assert not any(row["operand"] == "constants" for row in one.accesses.rows())
    moved = {
        (row["memory"], row["action"]): row["count"] * row["bits"]
        for row in many.accesses.rows()
        if row["operand"] == "constants"
    }
    home = edge.memory_of("weight").name
    assert set(moved) == {("dram", "read"), (home, "write"), (home, "read")}
    assert moved["dram", "read"] == moved[home, "write"] == constants * 24
    assert many.summary["dram_bytes"] - one.summary["dram_bytes"] == constants * 3
    assert many.summary["energy_pj"] > one.summary["energy_pj"]
    assert many.summary["cycles"] >= one.summary["cycles"]


def test_results_of_32_bits_on_their_operands_scales_are_the_sums():
    graph, _ = product(*HEADS, a_grid=axis(2), y_grid=axis(2))
    y = graph.tensors["y"]
    wide = replace(y, quant=replace(y.quant, format=IntFormat(bits=32)))
    (task,) = lower(graph.with_changes(tensors=[wide]))
    assert (task.work.scales_rows, task.work.scales_groups) == (1, False)
