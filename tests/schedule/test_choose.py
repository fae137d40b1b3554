"""The chosen mapping is the best of all candidates, and too small memories say what is missing."""

import re
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.cost.array_layer import array_cycles, array_layer
from hwsim.cost.prices import prices_of
from hwsim.cost.steps import steps_of
from hwsim.cost.traffic import array_reads, constant_reads, position_reads, psum_accesses, scale_reads
from hwsim.cost.transfers import beside, moved_bits
from hwsim.errors import MappingError
from hwsim.mapping.candidates import block_candidates, candidates, group_candidates
from hwsim.mapping.check import ORDERS, most_groups_in_array
from hwsim.mapping.legal import fits
from hwsim.mapping.mapping import Mapping
from hwsim.schedule import OBJECTIVES, choose, choose_mapping
from tests.cost.machines import gemm, gemms, machine
from tests.cost.mapped import machines


@st.composite
def small_machines(draw):
    return draw(machines(levels=2, size=draw(st.sampled_from([64, 200, 4000]))))


def every(work, accelerator, objective):
    """What all legal candidates cost by the recurrence of ``hwsim.cost``: (objective, tie-break)."""
    array, datapath = accelerator.array, accelerator.datapath
    whole = Mapping(gemm=work, array=array, tile_m=work.m, tile_k=work.k, tile_n=work.n)
    sizes = candidates(work, array)
    levels = max(memory.level for memory in accelerator.memory)
    tilings = [
        {"tile_m": m, "tile_k": k, "tile_n": n, "order": order}
        for m, k, n, order in product(sizes.m, sizes.k, sizes.n, ORDERS)
    ]
    tries = [
        tiling | {"blocks": nest}
        for tiling in tilings
        for nest in block_candidates(work, levels)
        if not nest or (nest[-1].m >= tiling["tile_m"] and nest[-1].n >= tiling["tile_n"])
    ]
    tries += [
        {"groups_together": together, "groups_in_array": shared}
        for together, shared in group_candidates(work, most_groups_in_array(whole))[1:]
        if levels == 1
    ]
    return [
        value_of(mapping, accelerator, objective)
        for mapping in (replace(whole, **keys) for keys in tries)
        if fits(mapping, accelerator, datapath)
    ]


def value_of(mapping, accelerator, objective):
    """(objective, tie-break) from ledger and prices, without the compiled timing."""
    layer = array_layer(mapping, accelerator, accelerator.datapath)
    cycles = layer.cycles.total
    if objective == "cycles":
        return cycles, sum(row.count * row.bits for row in layer.accesses if row.memory == "dram")
    prices = prices_of(mapping, accelerator, accelerator.datapath)
    steps = steps_of(mapping, accelerator)
    moved = [
        (price, moved_bits(mapping, moves, beside(mapping, steps, moves, accelerator.datapath)).sum())
        for price, moves in zip(
            (*prices.loads, *prices.stores), (*steps.loads["weight"], *steps.loads["ifmap"], *steps.stores), strict=True
        )
    ]
    energy = prices.fixed + prices.cycle * cycles + sum(price * bits for price, bits in moved)
    energy += prices.weight_read * array_reads(mapping, steps, "weight").sum()
    energy += prices.ifmap_read * array_reads(mapping, steps, "ifmap").sum()
    energy += prices.scale_read * scale_reads(mapping, steps).sum()
    energy += prices.constant_read * constant_reads(steps).sum()
    energy += prices.position_read * position_reads(mapping.gemm, steps, accelerator.datapath).sum()
    energy += prices.psum_access * psum_accesses(mapping, steps, accelerator.datapath).sum()
    return (energy if objective == "energy" else energy * cycles), cycles


@settings(max_examples=12, deadline=None)
@given(gemms(), small_machines(), st.sampled_from(OBJECTIVES))
def test_branch_and_bound_finds_the_best(work, accelerator, objective):
    costs = every(work, accelerator, objective)
    if not costs:
        with pytest.raises(MappingError, match="no tile fits drawn"):
            choose_mapping(work, accelerator, accelerator.datapath, objective)
        return
    best = choose_mapping(work, accelerator, accelerator.datapath, objective)
    found = value_of(best, accelerator, objective)
    assert found[0] == pytest.approx(min(costs)[0], rel=1e-12)
    if objective == "cycles":
        assert found == min(costs)


@settings(max_examples=20, deadline=None)
@given(gemms(), small_machines(), st.tuples(*[st.integers(0, 1)] * 3))
def test_latency_never_rises_when_a_width_falls(work, accelerator, fewer):
    formats = {
        name: getattr(work, name).__class__(bits=getattr(work, name).bits - less, signed=getattr(work, name).signed)
        for name, less in zip(("ifmap", "weight", "ofmap"), fewer, strict=True)
    }
    narrow = gemm_like(work, **formats)
    try:
        wide_cycles = best_cycles(work, accelerator)
    except MappingError:
        return
    assert best_cycles(narrow, accelerator) <= wide_cycles


def gemm_like(work, **changes):
    names = [name for name in work.__slots__ if name not in changes]
    return type(work)(**{name: getattr(work, name) for name in names}, **changes)


def best_cycles(work, accelerator):
    mapping = choose_mapping(work, accelerator, accelerator.datapath)
    return array_cycles(mapping, accelerator, accelerator.datapath)[0].total


def enlarged(accelerator, message):
    """The machine with the sizes that the message names."""
    sizes = dict(re.findall(r"--set memory\.(\w+)\.size_bytes=(\d+)", message))
    memory = tuple(
        level.model_copy(update={"size_bytes": int(sizes.get(level.name, level.size_bytes))})
        for level in accelerator.memory
    )
    return accelerator.model_copy(update={"memory": memory})


@settings(deadline=None)
@given(gemms())
def test_the_suggested_sizes_are_enough(work):
    tiny = machine(size=1)
    with pytest.raises(MappingError) as caught:
        choose_mapping(work, tiny, tiny.datapath)
    bigger = enlarged(tiny, str(caught.value))
    choose_mapping(work, bigger, bigger.datapath)


def test_message_of_too_small_memories():
    accelerator = machine(size=3)
    with pytest.raises(MappingError) as caught:
        choose_mapping(gemm(8, 8, 8), accelerator, accelerator.datapath)
    assert str(caught.value) == (
        "no tile fits small: even for a tile of 1 x 1 x 1 (m x k x n) memory 'psums' has 3 bytes and needs 4; "
        "enlarge it, at least --set memory.psums.size_bytes=4"
    )


def test_memories_that_would_need_millions_of_tiles(monkeypatch):
    monkeypatch.setattr(choose, "MAX_STEPS", 8)
    accelerator, work = machine(size=5), gemm(8, 8, 9)
    with pytest.raises(MappingError, match="no tile fits") as caught:
        choose_mapping(work, accelerator, accelerator.datapath)
    bigger = enlarged(accelerator, str(caught.value))
    mapping = choose_mapping(work, bigger, bigger.datapath)
    assert np.prod([-(-work.shape[dim] // getattr(mapping, f"tile_{dim}")) for dim in "mkn"]) <= 8
