"""Accesses, arithmetic and cycles of array layers equal loops over tiles and folds."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwsim.cost.array_layer import array_layer
from hwsim.cost.steps import steps_of
from hwsim.cost.traffic import accesses
from hwsim.cost.transfers import beside, moved_bits, storage_bits
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import on_datapath
from tests.cost import twin
from tests.cost.machines import arrays, gemm, machine, mappings
from tests.cost.mapped import machines, mapped


@st.composite
def cases(draw):
    keys = {
        "bias": draw(st.sampled_from(["start", "end"])),
        "zero_point": draw(st.sampled_from(["folded", "subtracted"])),
        "segment_scaling": draw(st.sampled_from(["fixed_point:11:3", "shift:4", "float32"])),
    }
    accelerator = machine(
        array=draw(arrays),
        dram={"bits_per_cycle": draw(st.sampled_from([3, 64, 4096])), "latency_cycles": draw(st.integers(0, 20))},
        port=draw(st.sampled_from([16, 100, 1 << 16])),
        vector={"requantizer_lanes": draw(st.sampled_from([1, 1000]))},
        datapath=keys,
        buffered=draw(st.booleans()),
        size=draw(st.sampled_from([100, 1 << 20])),
    )
    mapping = draw(mappings(accelerator.array))
    return accelerator, replace(mapping, gemm=on_datapath(mapping.gemm, accelerator.datapath))


def rows(cost, **equal):
    return [a for a in cost.accesses if all(getattr(a, key) == value for key, value in equal.items())]


def count(cost, **equal):
    return sum(a.count for a in rows(cost, **equal))


@given(cases())
def test_accesses(case):
    accelerator, mapping = case
    datapath, work = accelerator.datapath, mapping.gemm
    cost = array_layer(mapping, accelerator, datapath)
    steps = twin.steps_of(mapping)
    groups, outputs = work.groups, work.m * work.n * work.groups
    for operand in ("ifmap", "weight"):
        loads = sum(step.loads[operand] for step in steps) * groups
        assert count(cost, memory="dram", operand=operand, action="read") == loads
        assert count(cost, memory=f"{operand}s", operand=operand, action="write") == loads
        assert (
            count(cost, memory=f"{operand}s", operand=operand, action="read")
            == sum(step.reads[operand] for step in steps) * groups
        )
    constant = work.has_bias or (work.ifmap_asymmetric and datapath.zero_point == "folded")
    sums = sum(step.reads["psum"] for step in steps) * groups
    preloaded = outputs if constant and datapath.bias == "start" else 0
    assert count(cost, operand="psum", action="write") == count(cost, operand="psum", action="read") == sums + preloaded
    assert count(cost, memory="dram", operand="ofmap") == outputs == sum(step.stores for step in steps) * groups
    assert count(cost, memory="ofmaps", action="read") == count(cost, memory="ofmaps", action="write") == outputs
    is_held = len(work.segments) > 1 and datapath.segment_scaling.kind == "float32"
    by_row, by_group = work.scales_rows > 1, work.scales_groups and not work.scales_columns
    stored = 32 * constant + (32 + 8) * (work.scales_columns and not by_row and not is_held)
    words, used = (work.n * groups, sum(step.columns for step in steps) * groups) if stored else (0, 0)
    if by_row or by_group:
        columns = work.n if by_row and work.scales_columns else 1
        words += work.scales_rows * columns * (groups if work.scales_groups else 1)
        used += groups * sum(
            (step.rows if by_row else 1) * (step.columns if columns > 1 else 1) for step in steps if step.columns
        )
    assert count(cost, memory="dram", operand="constants") == words
    assert count(cost, memory="weights", operand="constants", action="read") == used
    widths = {stored} if stored else set()
    if by_row or by_group:
        widths.add(32 if is_held else 40)
    assert {a.bits for a in rows(cost, operand="constants")} == widths
    adds = sum(c.count for c in cost.compute if c.unit == "accumulator")
    assert adds == sums - (0 if constant else outputs)
    scales = sum(step.loads["scale"] for step in steps) * groups
    assert count(cost, memory="dram", operand="scale") == count(cost, operand="scale", action="write") == scales
    assert count(cost, memory="weights", operand="scale", action="read") == (
        sum(step.reads["scale"] for step in steps) * groups
    )
    assert {a.bits for a in rows(cost, operand="scale")} <= {
        {"fixed_point": 11, "shift": 8, "float32": 32}[datapath.segment_scaling.kind]
    }
    is_segmented = len(work.segments) > 1
    assert sum(c.count for c in cost.compute if c.unit == "segment_scaler") == (sums if is_segmented else 0)
    joins = sums if is_segmented else outputs
    has_column_sum = work.weight_asymmetric and datapath.zero_point == "folded"
    assert {c.action: c.count for c in cost.compute if c.unit == "column_sum"} == (
        {"add": work.m * work.k * groups + joins, "multiply": joins} if has_column_sum else {}
    )


@given(cases())
def test_cycles(case):
    accelerator, mapping = case
    array, work, dram = mapping.array, mapping.gemm, accelerator.dram
    cycles = array_layer(mapping, accelerator, accelerator.datapath).cycles
    steps = twin.steps_of(mapping)
    folds = [fold for step in steps for fold in step.folds] * work.groups
    ideal = twin.array_end(array, folds)
    assert cycles.compute == sum(folds)
    assert cycles.compute + cycles.fill + cycles.drain == ideal
    assert cycles.stall >= 0
    assert work.macs <= cycles.total * array.rows * array.columns
    bits = sum(sum(s.loads.values()) * min(work.ifmap.bits, work.weight.bits) for s in steps) * work.groups
    assert cycles.total * dram.bits_per_cycle >= bits


@given(cases())
def test_more_bandwidth_is_never_slower(case):
    accelerator, mapping = case
    dram = accelerator.dram.model_copy(update={"bits_per_cycle": accelerator.dram.bits_per_cycle + 5})
    faster = accelerator.model_copy(update={"dram": dram})
    base = array_layer(mapping, accelerator, accelerator.datapath).cycles.total
    assert array_layer(mapping, faster, accelerator.datapath).cycles.total <= base


@given(st.tuples(*[st.integers(1, 20)] * 3), st.integers(1, 3), st.sampled_from(["mnk", "nmk"]))
def test_halving_widths_halves_storage_traffic(shape, groups, order):
    accelerator = machine()
    cuts = {f"tile_{dim}": max(size // 2, 1) for dim, size in zip("mkn", shape, strict=True)}
    wide, narrow = (
        array_layer(
            Mapping(gemm=gemm(*shape, groups=groups, bits=bits), array=accelerator.array, order=order, **cuts),
            accelerator,
            accelerator.datapath,
        )
        for bits in ((8, 8, 8), (4, 4, 4))
    )
    for a, b in zip(wide.accesses, narrow.accesses, strict=True):
        assert a.count == b.count
        assert a.operand == "psum" or a.bits == 2 * b.bits


@st.composite
def any_cases(draw):
    accelerator = draw(machines())
    return accelerator, draw(mapped(accelerator))


@given(any_cases())
def test_every_link_carries_at_least_what_is_compulsory(case):
    """Every operand passes every memory of its path at least once, unless it stays on chip; nothing is lost on the way."""
    accelerator, mapping = case
    work, steps = mapping.gemm, steps_of(mapping, accelerator)
    whole = {
        "ifmap": twin.pixels(work, (0, work.m), (0, work.k)) * work.groups,
        "weight": mapping.mac.kept(work.k) * work.n * work.groups,
        "ofmap": work.m * work.n * work.groups,
    }
    links = [*steps.loads["ifmap"], *steps.loads["weight"], *steps.stores]
    for moves in links:
        assert moves.elements.sum() >= whole[moves.link.operand]
        assert (moved_bits(mapping, moves) >= moves.elements * storage_bits(mapping, moves.link.operand)).all()
    assert all(moves.elements.sum() == whole["ofmap"] for moves in steps.stores)
    assert mapping.ofmap_on_chip == (not any(moves.link.target == "dram" for moves in steps.stores))
    for operand in ("ifmap", "weight"):  # an inner link carries no less than the one behind it
        sums = [int(moves.elements.sum()) for moves in steps.loads[operand]]
        assert sums == sorted(sums)


@given(any_cases())
def test_bits_over_the_edge_are_those_of_the_tiles(case):
    """What the ledger says of DRAM is the sum over all steps, column constants and whole bursts included."""
    accelerator, mapping = case
    steps = steps_of(mapping, accelerator)
    rows = accesses(mapping, steps, accelerator, accelerator.datapath)
    tiles = sum(
        int(moved_bits(mapping, moves, beside(mapping, steps, moves, accelerator.datapath)).sum())
        for links in (*steps.loads.values(), steps.stores)
        for moves in links
        if "dram" in (moves.link.source, moves.link.target)
    )
    assert sum(row.count * row.bits for row in rows if row.memory == "dram") == tiles


def test_register_writes_by_dataflow():
    for flow, hops, expected in (
        ("weight_stationary", 2, {"ifmap": 24, "weight": 6 * 5 // 2, "psum": 48}),
        ("input_stationary", 1, {"ifmap": 8 * 5 // 2, "weight": 24, "psum": 24}),
        ("output_stationary", 1, {"ifmap": 24, "weight": 24, "psum": 24 + 12 * 5 // 2}),
    ):
        accelerator = machine(array={"dataflow": flow, "vertical_hop_registers": hops})
        mapping = Mapping(gemm=gemm(4, 2, 3), array=accelerator.array, tile_m=4, tile_k=2, tile_n=3)
        compute = array_layer(mapping, accelerator, accelerator.datapath).compute
        assert {c.action: c.count for c in compute if c.unit == "array_register"} == expected


def test_columns_are_numbers():
    accelerator = machine()
    mapping = Mapping(gemm=gemm(4, 2, 3), array=accelerator.array, tile_m=4, tile_k=2, tile_n=3)
    cost = array_layer(mapping, accelerator, accelerator.datapath)
    assert not any(isinstance(value, np.generic) for a in cost.accesses for value in (a.count, a.bits))
