"""Tiles cover a dimension once, touch the pixels that loops find, and take the memory that they need."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.mapping.candidates import block_candidates, candidates
from hwsim.mapping.legal import fits, largest_ifmap, memory_bytes
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.tiles import cuts, ifmap_elements
from hwsim.mapping.visits import visits_of
from tests.cost import twin
from tests.cost.machines import conv, gemm, gemms, machine, windows
from tests.cost.mapped import machines, mapped


@given(gemms(), st.data())
def test_cuts(work, data):
    every = candidates(work, machine().array)
    for dim in "mkn":
        tile = data.draw(st.sampled_from(getattr(every, dim)))
        assert [(start, start + size) for start, size in cuts(work, dim, tile)] == twin.tiles_of(work, dim, tile)


@given(windows(), st.data())
def test_distinct_pixels(window, data):
    work = conv(window)
    rows = data.draw(st.integers(1, window.out_height)) * window.out_width
    tile = data.draw(st.sampled_from([rows, window.image * data.draw(st.integers(1, window.batch))]))
    spans = twin.tiles_of(work, "m", tile)
    starts, ends = np.array(spans).T
    for k in (window.taps, work.k):
        expected = [twin.pixels(work, span, (0, k)) for span in spans]
        assert ifmap_elements(work, starts, ends - starts, np.full(len(spans), k)).tolist() == expected
        assert largest_ifmap(work, tile, k) == max(expected)


@given(gemms())
def test_candidates_are_legal_mappings(work):
    array = machine().array
    every = candidates(work, array)
    whole = Mapping(gemm=work, array=array, tile_m=work.m, tile_k=work.k, tile_n=work.n)
    for dim in "mkn":
        for size in getattr(every, dim):
            replace(whole, **{f"tile_{dim}": size})
        assert max(getattr(every, dim)) == work.shape[dim]
    for nest in block_candidates(work, 3):
        replace(whole, tile_m=min(every.m), tile_n=min(every.n), blocks=nest)


@given(st.data())
def test_nested_tiles_cover_everything_once(data):
    accelerator = data.draw(machines())
    mapping = data.draw(mapped(accelerator))
    visits = visits_of(mapping, 3)
    work = mapping.gemm
    assert int((visits.m[0] * visits.k * visits.n[0] * visits.groups).sum()) == work.macs
    places = np.stack([visits.group, visits.m_start[0], visits.k_start, visits.n_start[0]], axis=1)
    assert len(np.unique(places, axis=0)) == len(places)
    for level in (1, 2):
        for start, size in ((visits.m_start, visits.m), (visits.n_start, visits.n)):
            assert (start[level] <= start[level - 1]).all()
            assert (start[level - 1] + size[level - 1] <= start[level] + size[level]).all()


@pytest.mark.parametrize(("buffered", "copies"), [(True, 2), (False, 1)])
def test_bytes_needed(buffered, copies):
    accelerator = machine(buffered=buffered, datapath={"accumulator": "int20:wrap"})
    datapath = accelerator.datapath
    mapping = Mapping(gemm=gemm(10, 20, 30, bits=(4, 3, 2)), array=accelerator.array, tile_m=5, tile_k=7, tile_n=3)
    needed = memory_bytes(mapping, accelerator, datapath)
    assert needed == {
        "ifmaps": copies * 18, "weights": copies * 8, "ofmaps": copies * 4, "psums": 38,
    }  # fmt: skip
    largest = max(needed.values())
    assert fits(mapping, machine(buffered=buffered, size=largest), datapath)
    assert not fits(mapping, machine(buffered=buffered, size=largest - 1), datapath)
    assert not fits(mapping, machine(buffered=buffered, size=largest), datapath, {"psums": 1})
    kept = replace(mapping, ofmap_on_chip=True)
    assert memory_bytes(kept, accelerator, datapath) == needed | {"ofmaps": 0}
