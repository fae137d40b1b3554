"""The chosen mapping is the best of all candidates, and too small memories say what is missing."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.cost.array_layer import array_cycles, dram_bits
from hwsim.errors import MappingError
from hwsim.mapping.candidates import candidates
from hwsim.mapping.legal import fits, tile_bits
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import accumulator_bits
from hwsim.schedule import choose, choose_mapping
from hwsim.schedule.choose import ORDERS, lower_bound
from tests.cost.machines import arrays, gemm, gemms, machine


@st.composite
def machines(draw):
    return machine(
        array=draw(arrays),
        size=draw(st.sampled_from([64, 200, 4000])),
        dram={"bits_per_cycle": draw(st.sampled_from([4, 64])), "latency_cycles": draw(st.integers(0, 30))},
        buffered=draw(st.booleans()),
    )


def every(work, accelerator):
    """All legal candidates with their exact cost and lower bound."""
    tiles = candidates(work, accelerator.array.rows, accelerator.array.columns)
    bits = tile_bits(work, tiles.m, tiles.k, tiles.n, accumulator_bits(work, accelerator.datapath))
    tiles = tiles.only(fits(accelerator, bits))
    found = []
    for order in ORDERS:
        bounds = zip(*lower_bound(work, accelerator, tiles, order), strict=True)
        for m, k, n, (cycles, traffic) in zip(tiles.m, tiles.k, tiles.n, bounds, strict=True):
            mapping = Mapping(
                gemm=work, array=accelerator.array, tile_m=int(m), tile_k=int(k), tile_n=int(n), order=order
            )
            exact = array_cycles(mapping, accelerator, accelerator.datapath).total
            found.append((exact, dram_bits(mapping), int(cycles), int(traffic)))
    return found


@settings(max_examples=40)
@given(gemms(), machines())
def test_branch_and_bound_finds_the_best(work, accelerator):
    costs = every(work, accelerator)
    if not costs:
        with pytest.raises(MappingError, match="no tile fits small"):
            choose_mapping(work, accelerator, accelerator.datapath)
        return
    for cycles, bits, least_cycles, least_bits in costs:
        assert least_cycles <= cycles
        assert least_bits == bits
    best = choose_mapping(work, accelerator, accelerator.datapath)
    found = array_cycles(best, accelerator, accelerator.datapath).total, dram_bits(best)
    assert found == min(cost[:2] for cost in costs)


@settings(max_examples=40)
@given(gemms(), machines(), st.tuples(*[st.integers(0, 1)] * 3))
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
    return array_cycles(mapping, accelerator, accelerator.datapath).total


def enlarged(accelerator, message):
    """The machine with the sizes that the message names."""
    sizes = dict(re.findall(r"--set memory\.(\w+)\.size_bytes=(\d+)", message))
    memory = tuple(
        level.model_copy(update={"size_bytes": int(sizes.get(level.name, level.size_bytes))})
        for level in accelerator.memory
    )
    return accelerator.model_copy(update={"memory": memory})


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
