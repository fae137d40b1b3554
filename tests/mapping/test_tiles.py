"""Tiles cover a dimension once, and touch the pixels that loops find."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.mapping.candidates import candidates
from hwsim.mapping.legal import fits, memory_bytes, tile_bits
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.tiles import cuts, ifmap_largest, ifmap_tile_elements, ifmap_total
from tests.cost import twin
from tests.cost.machines import conv, gemm, gemms, machine, windows


@given(gemms(), st.data())
def test_cuts(work, data):
    every = candidates(work, 4, 4)
    index = data.draw(st.integers(0, len(every.m) - 1))
    for dim in "mkn":
        tile = int(getattr(every, dim)[index])
        starts, sizes = cuts(work, dim, tile)
        assert [(a, a + b) for a, b in zip(starts.tolist(), sizes.tolist(), strict=True)] == twin.tiles_of(
            work, dim, tile
        )
        assert sizes.sum() == work.shape[dim]


@given(windows(), st.data())
def test_distinct_pixels(window, data):
    work = conv(window)
    rows = data.draw(st.integers(1, window.out_height)) * window.out_width
    tile = data.draw(st.sampled_from([rows, window.image * data.draw(st.integers(1, window.batch))]))
    spans = twin.tiles_of(work, "m", tile)
    channels = [window.taps, work.k]
    found = ifmap_tile_elements(work, tile, np.array(channels))
    expected = [[twin.pixels(work, span, (0, k)) for k in channels] for span in spans]
    assert found.tolist() == expected
    assert ifmap_total(work, np.array([tile])).tolist() == [sum(row[1] for row in expected)]
    assert ifmap_largest(work, np.array([tile]), np.array([work.k])).tolist() == [max(row[1] for row in expected)]


@given(gemms())
def test_candidates_are_legal_mappings(work):
    every = candidates(work, 4, 4)
    array = machine().array
    for m, k, n in zip(every.m.tolist(), every.k.tolist(), every.n.tolist(), strict=True):
        Mapping(gemm=work, array=array, tile_m=m, tile_k=k, tile_n=n)
    assert {work.m, work.k, work.n} == {int(every.m.max()), int(every.k.max()), int(every.n.max())}


@pytest.mark.parametrize(("buffered", "copies"), [(True, 2), (False, 1)])
def test_bytes_needed(buffered, copies):
    work = gemm(10, 20, 30, bits=(4, 3, 2))
    accelerator = machine(buffered=buffered)
    bits = tile_bits(work, *(np.array([size]) for size in (5, 7, 3)), psum_bits=20)
    needed = {name: int(value[0]) for name, value in memory_bytes(accelerator, bits).items()}
    assert needed == {
        "ifmaps": copies * 18, "weights": copies * 8, "ofmaps": copies * 4, "psums": 38,
    }  # fmt: skip
    exact = machine(buffered=buffered, size=max(needed.values()))
    assert fits(exact, bits).all()
    assert not fits(machine(buffered=buffered, size=max(needed.values()) - 1), bits).any()
