"""The checkpointed pass never misses an overflow nor a peak, by the definition on unbounded integers."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hwsim.kernels.ordered.optimistic as module
from hwsim.kernels.gemm.route import PORTABLE_WORDS
from hwsim.kernels.ordered.follow import ordered_product
from hwsim.kernels.ordered.optimistic import settle
from hwsim.numerics.accumulator import Accumulator, Overflow, accumulate

registers = st.one_of(
    st.just(Accumulator()),
    st.builds(Accumulator, bits=st.integers(2, 31), overflow=st.sampled_from(list(Overflow))),
)


@st.composite
def products(draw):
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    m, n, k = (
        draw(st.integers(1, 13)),
        draw(st.sampled_from([1, 5, 16, 19])),
        draw(st.sampled_from([1, 2, 31, 33, 70, 141])),
    )
    cuts = sorted(draw(st.sets(st.integers(1, k), max_size=3)) | {0, k})
    a_bits, w_bits = draw(st.integers(1, 12)), draw(st.integers(1, 10))
    a = random.integers(0 if draw(st.booleans()) else -(1 << a_bits - 1), 1 << a_bits - 1, (m, k), endpoint=True)
    w = random.integers(-(1 << w_bits - 1), 1 << w_bits - 1, (k, n), endpoint=True)
    shape = draw(st.sampled_from(["noise", "drift", "there and back"]))
    if shape == "drift":
        w = np.abs(w)
    if shape == "there and back":  # peaks inside of chunks, where the checkpoints see nothing
        a[:, 1::2], w[1::2] = a[:, : k - 1 : 2], -w[: k - 1 : 2]
    reach = 1 << draw(st.integers(0, 16))
    start = random.integers(-reach, reach + 1, (m, n)) * draw(st.integers(0, 1))
    return a, w, [after - before for before, after in pairwise(cuts)], start


@pytest.mark.parametrize("route", sorted({module.NATIVE, PORTABLE_WORDS}))
@pytest.mark.parametrize("length", [1, 8, 64])
def test_what_is_not_in_doubt_did_not_overflow(monkeypatch, route, length):
    """Settled values are the registers', settled outputs had no event, bounds hold, the best magnitude was seen."""
    monkeypatch.setattr(module, "NATIVE", route)
    monkeypatch.setattr(module, "chunk_length", lambda _: length)
    settled_outputs = 0

    @settings(deadline=None)
    @given(layer=products(), psum=registers, accumulator=registers, tree=st.sampled_from([1, 1, 3, 200]))
    def check(layer, psum, accumulator, tree):
        nonlocal settled_outputs
        a, w, folds, start = layer
        product = ordered_product(a[None], w[None], np.array(folds), psum, accumulator, start[None], tree)
        values, n = np.zeros(start.shape, np.int64), w.shape[1]
        outcome = settle(product, 0, np.ones(start.shape, bool), values)
        tops, seen = dict(zip(outcome.open.tolist(), outcome.tops.tolist(), strict=True)), []
        for i in range(outcome.rows):
            for j in range(n):
                if i * n + j in outcome.doubts:
                    assert i * n + j not in tops
                    continue
                steps = (a[i].astype(object) * w[:, j].astype(object)).tolist()
                value, events, peak = accumulate(
                    steps, segments=folds, psum=psum, accumulator=accumulator, start=int(start[i, j]), tree=tree
                )
                assert (values[i, j], 0) == (value, events)
                assert peak <= tops.get(i * n + j, outcome.best)
                seen.append(peak)
        assert outcome.best <= max(seen, default=0)
        settled_outputs += len(seen)

    check()
    assert settled_outputs


def test_blocks_that_nobody_asks_for_are_left_out():
    random = np.random.default_rng(0)
    a, w = random.integers(-50, 50, (1, 100, 64)), random.integers(-50, 50, (1, 64, 40))
    psum, accumulator = Accumulator(bits=24, overflow=Overflow.SATURATE), Accumulator()
    start = np.zeros((1, 100, 40), np.int64)
    product = ordered_product(a, w, np.array([64]), psum, accumulator, start, 1)
    todo = np.zeros((100, 40), bool)
    todo[70, 20] = True
    values = np.full((100, 40), 7)
    outcome = settle(product, 0, todo, values)
    assert values[70, 20] == a[0, 70] @ w[0, :, 20]
    assert (values[:48] == 7).all()
    assert (outcome.rows, outcome.doubts.tolist()) == (100, [])
    assert set(outcome.open.tolist()) <= {70 * 40 + 20}
    assert abs(values[70, 20]) <= outcome.best <= np.abs(np.cumsum(a[0, 70] * w[0, :, 20])).max()
