"""The ordered kernel and the proving front against the definition on Python integers."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.errors import ExecutionError
from hwsim.kernels.accumulate import accumulate
from hwsim.kernels.mac import accumulate_gemm
from hwsim.numerics.accumulator import Accumulator, Overflow
from hwsim.numerics.accumulator import accumulate as accumulate_one
from hwsim.numerics.bounds import exact_range
from hwsim.numerics.formats import bits_for_range

registers = st.one_of(
    st.just(Accumulator()),
    st.builds(
        Accumulator,
        bits=st.one_of(st.integers(2, 24), st.integers(28, 36), st.integers(60, 64)),
        overflow=st.sampled_from(list(Overflow)),
    ),
)
trees = st.sampled_from([1, 1, 2, 3, 7, 100])


@st.composite
def layers(draw, groups=(1, 1), widest=16):
    """Operands, segments and start values, up to ``widest`` bits."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    g, m, n = draw(st.integers(*groups)), draw(st.integers(1, 20)), draw(st.sampled_from([1, 3, 17, 130]))
    k = draw(st.integers(1, 24))
    cuts = sorted(draw(st.sets(st.integers(1, k), max_size=4)) | {0, k})
    segments = [after - before for before, after in pairwise(cuts)]
    low, high = -(1 << draw(st.integers(0, widest - 1))), 1 << draw(st.integers(0, widest - 1))
    weight = 1 << draw(st.integers(0, widest - 1))
    a = random.integers(low, high + 1, (g, m, k)) * (random.random((g, m, k)) < draw(st.sampled_from([1.0, 0.5])))
    w = random.integers(-weight, weight + 1, (g, k, n))
    spread = 1 << draw(st.integers(0, 30))
    start = random.integers(-spread, spread + 1, draw(st.sampled_from([(n,), (m, n), (1,), (g, 1, n)])))
    if g == 1:
        a, w = a[0], w[0]
        start = start[0] if start.ndim == 3 else start
    return a, w, segments, start, (low, high)


def definition(a, w, segments, psum, accumulator, start, tree=1):
    """Values, events and peaks of every output, one by one."""
    shape = (*a.shape[:-1], w.shape[-1])
    begin = np.broadcast_to(start, shape)
    out = [np.zeros(shape, object) for _ in range(3)]
    for index in np.ndindex(shape):
        *g, i, j = index
        products = [int(x) * int(y) for x, y in zip(a[(*g, i)], w[(*g, slice(None), j)], strict=True)]
        result = accumulate_one(
            products, segments=segments, psum=psum, accumulator=accumulator, start=int(begin[index]), tree=tree
        )
        for array, value in zip(out, result, strict=True):
            array[index] = value
    return out


@settings(deadline=None)
@given(layer=layers(), psum=registers, accumulator=registers, tree=trees)
def test_ordered_kernel_is_the_definition(layer, psum, accumulator, tree):
    a, w, segments, start, _ = layer
    shape = a.shape[0], w.shape[1]
    todo = np.zeros(shape, bool)
    todo[:6, -20:] = True
    got = accumulate(a, w, segments, psum, accumulator, start, todo, tree)
    some = np.broadcast_to(start, shape)[:6, -20:]
    values, events, peaks = definition(a[:6], w[:, -20:], segments, psum, accumulator, some, tree)
    assert (got.values[:6, -20:] == values).all()
    assert (got.events[:6, -20:] == events).all()
    assert got.peak == peaks.max()


@settings(deadline=None)
@given(layer=layers(groups=(1, 4)), psum=registers, accumulator=registers, tree=trees)
def test_proving_changes_nothing(layer, psum, accumulator, tree):
    """The front and the ordered kernel on everything: the same values, the same events."""
    a, w, segments, start, a_range = layer
    everything = accumulate(a, w, segments, psum, accumulator, start, tree=tree)
    got = accumulate_gemm(a, w, segments, psum=psum, accumulator=accumulator, start=start, a_range=a_range, tree=tree)
    assert (got.values == everything.values).all()
    assert got.overflow_events == everything.events.sum()
    assert got.overflow_outputs == np.count_nonzero(everything.events)
    assert got.peak <= everything.peak
    assert 0 <= got.proven_outputs <= got.values.size - got.overflow_outputs
    if got.proven_outputs == 0:
        assert got.peak == everything.peak


@settings(deadline=None)
@given(layer=layers(widest=8), bits=st.integers(2, 20), tree=trees)
def test_wrapping_commutes_with_addition(layer, bits, tree):
    a, w, segments, start, _ = layer
    register = Accumulator(bits=bits, overflow=Overflow.WRAP)
    exact = np.broadcast_to(start, (a.shape[0], w.shape[1])) + a @ w
    wrapped = [[register.reduce(int(value)) for value in row] for row in exact]
    assert (accumulate(a, w, segments, register, register, start, tree=tree).values == wrapped).all()
    assert (accumulate(a, w, segments, Accumulator(), register, start).values == wrapped).all()


@settings(deadline=None)
@given(layer=layers(widest=8), order=st.randoms(use_true_random=False), tree=trees)
def test_a_width_that_the_exact_range_allows_never_overflows(layer, order, tree):
    a, w, segments, start, (low, high) = layer
    starts = (0, int(start.min()), int(start.max()))  # psum starts at zero, the accumulator at the bias
    bits = max(2, *(bits_for_range(*exact_range(w, low, high, begin)) for begin in starts))
    turn = list(range(w.shape[0]))
    order.shuffle(turn)
    register = Accumulator(bits=bits, overflow=Overflow.SATURATE)
    got = accumulate(a[:, turn], w[turn], segments, register, register, start, tree=tree)
    assert not got.events.any()
    assert (got.values == start + a @ w).all()
    front = accumulate_gemm(a, w, segments, psum=register, accumulator=register, start=start, a_range=(low, high))
    assert front.overflow_events == 0


@pytest.mark.parametrize("overflow", list(Overflow))
@pytest.mark.parametrize("bits", [2, 4, 6, 8])
def test_every_four_bit_product(overflow, bits):
    """All 256 pairs as one product each, and all pairs of pairs with a fixed second product."""
    codes = np.arange(-8, 8)
    register = Accumulator(bits=bits, overflow=overflow)
    for second in (0, -64, 56):
        a = np.stack([codes, np.full(16, 1)], axis=1)
        w = np.stack([codes, np.full(16, second)])
        values, events, peaks = definition(a, w, [2], register, register, np.zeros(1, int))
        got = accumulate(a, w, [2], register, register)
        assert (got.values == values).all()
        assert (got.events == events).all()
        assert got.peak == peaks.max()


@pytest.mark.parametrize("overflow", list(Overflow))
@pytest.mark.parametrize("excess", [0, 1])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("where", ["psum", "accumulator"])
@pytest.mark.parametrize("proof", ["columns", "outputs"])
def test_proofs_are_tight_on_both_sides(overflow, excess, sign, where, proof):
    """The last value that fits is proven, the next one is an event: by weights alone and by the operands."""
    narrow, wide = Accumulator(bits=8, overflow=overflow), Accumulator(bits=20, overflow=overflow)
    psum, accumulator = (narrow, wide) if where == "psum" else (wide, narrow)
    reach = (127 if sign > 0 else 128) + excess
    a, w = np.array([[reach - 100, 0, 50]]), np.array([[sign], [sign], [2 * sign]])
    a_range = (0, 400) if proof == "outputs" else (0, reach)
    if proof == "columns":
        a, w = np.array([[reach]]), np.array([[sign]])
    segments = [len(w)]
    got = accumulate_gemm(a, w, segments, psum=psum, accumulator=accumulator, a_range=a_range)
    everything = accumulate(a, w, segments, psum, accumulator)
    assert got.values[0, 0] == everything.values[0, 0]
    assert (got.overflow_events, got.proven_outputs) == (excess, 1 - excess)


def test_an_exact_register_that_is_over_counts_zero_products():
    """An exact register of 4 bits holds 9 after the first product: adding nothing is another event."""
    register = Accumulator(bits=4, overflow=Overflow.EXACT)
    a, w = np.array([[9, 0, 0, -9]]), np.ones((4, 1), int)
    got = accumulate_gemm(a, w, [4], psum=register, accumulator=Accumulator(), a_range=(-9, 9))
    value, events, _ = accumulate_one([9, 0, 0, -9], segments=[4], psum=register, accumulator=Accumulator())
    assert (got.values[0, 0], got.overflow_events) == (value, events) == (0, 3)


def test_a_sum_on_the_way_may_leave_64_bits_but_a_value_may_not():
    a, w = np.full((1, 4), 2**31 - 1), np.full((4, 1), 2**31 - 1)
    full, a_range = Accumulator(bits=64, overflow=Overflow.SATURATE), (-(2**31), 2**31 - 1)
    got = accumulate_gemm(a, w, [4], psum=full, accumulator=full, a_range=a_range)
    value, events, peak = accumulate_one([(2**31 - 1) ** 2] * 4, segments=[4], psum=full, accumulator=full)
    assert (got.values[0, 0], got.overflow_events, got.peak) == (value, events, peak)
    exact = Accumulator()
    with pytest.raises(ExecutionError, match="beyond 64 bits"):
        accumulate_gemm(a, w, [4], psum=exact, accumulator=exact, a_range=a_range)


def test_errors_name_the_rule():
    a, w = np.ones((1, 4), int), np.ones((4, 1), int)
    exact = Accumulator()
    for tree in (0, -3):
        with pytest.raises(ExecutionError, match=rf"must sum at least one product, not {tree}; 1 means no tree"):
            accumulate(a, w, [4], exact, exact, tree=tree)
    with pytest.raises(ExecutionError, match=r"segments \[3\] must be positive and sum to k=4"):
        accumulate(a, w, [3], exact, exact)
    with pytest.raises(ExecutionError, match=r"activations: codes lie in 1\.\.1, outside the range 2\.\.3"):
        accumulate_gemm(a, w, [4], psum=exact, accumulator=exact, a_range=(2, 3))
