"""Every route against products of Python integers; the choice of a route."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hwsim.errors import ExecutionError
from hwsim.kernels import cpu
from hwsim.kernels.gemm import gemm_packed, pack_weights
from hwsim.kernels.gemm.drive import DRIVERS
from hwsim.kernels.gemm.route import AVX2_BYTES, ROUTES, VARIABLE

CODES = [(np.uint8, 0, 255), (np.int8, -128, 127), (np.uint8, 3, 9), (np.int16, -256, 255), (np.int32, -40, 1000)]


def exact(a, zero_point, w):
    return np.matmul((a.astype(object) - zero_point), w.astype(object))


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 2**32 - 1),
    codes=st.sampled_from(CODES),
    place=st.floats(0, 1),
    w_range=st.sampled_from([(-128, 127), (-64, 63), (-7, 7), (-200, 55), (0, 255), (-255, 255), (-32768, 32767)]),
    groups=st.sampled_from([None, 1, 3]),
    m=st.integers(0, 20),
    k=st.integers(0, 70),
    n=st.integers(0, 40),
)
@example(seed=1, codes=CODES[0], place=0.5, w_range=(-128, 127), groups=None, m=300, k=37, n=300)
@example(seed=2, codes=CODES[3], place=0.0, w_range=(-128, 127), groups=2, m=7, k=2000, n=3)
def test_a_product_is_that_of_python_integers(route, seed, codes, place, w_range, groups, m, k, n):
    dtype, low, high = codes
    zero_point = round(low + place * (high - low))
    random = np.random.default_rng(seed)
    leading = () if groups is None else (groups,)
    a = random.integers(low, high + 1, (*leading, m, k)).astype(dtype)
    w = random.integers(w_range[0], w_range[1] + 1, (*leading, k, n))
    packed = pack_weights(w, (low, high), zero_point, route)
    product = gemm_packed(a, packed)
    assert product.dtype == (np.int32 if packed.fits_int32 else np.int64)
    assert (product == exact(a, zero_point, w)).all()


@pytest.mark.parametrize(
    ("dtype", "low", "high"), [(np.uint8, 0, 255), (np.int8, -128, 127), (np.int16, -32768, 32767)]
)
@pytest.mark.parametrize("w_end", [-32768, -128, -64, 64, 127, 32767])
def test_sums_of_extremes_that_leave_32_bits(route, dtype, low, high, w_end):
    """Each k is cut only where a sum could leave 32 bits, and all products pull the same way."""
    k = 3 * (1 << 31) // (max(-low, high) * abs(w_end)) + 1
    if k > 1 << 19:
        k = 70_000
    third = k // 3
    for code in (low, high):
        a, w = np.full((2, k), code, dtype), np.full((k, 1), w_end)
        a[1, third:] = 1
        packed = pack_weights(w, (low, high), 0, route)
        assert gemm_packed(a, packed)[:, 0].tolist() == [code * w_end * k, w_end * (code * third + k - third)]


def test_the_portable_words_are_those_of_the_instruction(integers):
    a, w = integers(0, 255, (19, 141), np.uint8), integers(-300, 300, (141, 33))
    packed = pack_weights(w, (0, 255), 5, "portable_words")
    assert packed.route.name == "portable_words"
    assert (gemm_packed(a, packed) == exact(a, 5, w)).all()


def test_a_narrow_operand_takes_a_route_and_a_wide_one_does_not(route, integers):
    narrow = pack_weights(integers(-64, 63, (40, 8)), (0, 255), 9, route)
    assert (narrow.route.name if narrow.route else "blas") == route
    assert pack_weights(integers(-70_000, 70_000, (40, 8)), (0, 255), 9, route).route is None


def test_bytes_take_weights_that_a_constant_per_column_brings_into_int8(integers):
    """uint8 weights with zero points of their own, per column: [-200, 55] and [0, 255] are int8 and an offset."""
    w = np.concatenate([integers(low, low + 255, (64, 1)) for low in (-200, 0, -128, -255)], axis=1)
    a = integers(0, 255, (10, 64), np.uint8)
    packed = pack_weights(w, (0, 255), 17, "portable_bytes")
    assert packed.route.name == "portable_bytes"
    assert packed.parts[0].offsets[0, :4].tolist() == [-72, 128, 0, -127]
    assert (gemm_packed(a, packed) == exact(a, 17, w)).all()
    assert pack_weights(integers(-129, 127, (64, 1)), (0, 255), 0, "portable_bytes").route is None


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("first", [63, 64, 127])
def test_pairs_that_16_bits_hold(integers, sign, first):
    """vpmaddubsw adds two products in 16 bits: 255 * 128 is the last sum of weights of one sign that fits, at any k."""
    if not ROUTES[AVX2_BYTES].is_runnable:
        pytest.skip("needs AVX2")
    w = np.zeros((9, 1), np.int64)
    w[4:6, 0] = sign * first, sign * (128 - first)
    a = np.full((2, 9), 255, np.uint8)
    packed = pack_weights(w, (0, 255), 0, "avx2_bytes")
    assert packed.route.name == "avx2_bytes"
    assert (gemm_packed(a, packed) == sign * 255 * 128).all()
    w[5, 0] += sign
    assert pack_weights(w, (0, 255), 0, "avx2_bytes").route is None
    w[5, 0] *= -1
    assert pack_weights(w, (0, 255), 0, "avx2_bytes").route.name == "avx2_bytes"


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("places", "is_near"), [((0, 1, 4, 5), True), ((2, 3, 6, 7), True), ((0, 1, 2, 4), False)])
@pytest.mark.parametrize("extra", [0, 1])
def test_four_products_that_16_bits_hold(sign, places, is_near, extra):
    """Two words of a pair are added in 16 bits where 255 times the weights of one sign that meet there fits; never beyond."""
    if not ROUTES[AVX2_BYTES].is_runnable:
        pytest.skip("needs AVX2")
    w = np.zeros((19, 18), np.int64)
    w[[8 + place for place in places], 17] = [sign * weight for weight in (40, 24, 31, 33 + extra)]
    packed = pack_weights(w, (0, 255), 0, "avx2_bytes")
    # Panels of 16 columns, three pairs of words; the second pair of the second panel is the one in question.
    assert packed.parts[0].short.tolist() == [1, 1, 1, 1, int(not (is_near and extra)), 1]
    for code in (255, 1):
        product = gemm_packed(np.full((5, 19), code, np.uint8), packed)
        assert (product == code * w.sum(axis=0)).all()


@settings(deadline=None, max_examples=50)
@given(
    seed=st.integers(0, 2**32 - 1), k=st.integers(1, 80), share=st.floats(0, 1), end=st.sampled_from([20, 32, 33, 64])
)
def test_short_and_long_pairs_of_words_alternate(seed, k, share, end):
    """Columns of which some pairs of words are large and others small, at activations of 0 and 255 only."""
    if not ROUTES[AVX2_BYTES].is_runnable:
        pytest.skip("needs AVX2")
    random = np.random.default_rng(seed)
    w = random.choice([-end, end], (k, 20)) * (random.random((k, 1)) < share)
    a = random.choice([0, 255], (7, k)).astype(np.uint8)
    packed = pack_weights(w, (0, 255), 0, "avx2_bytes")
    assert (gemm_packed(a, packed) == exact(a, 0, w)).all()


def test_a_result_goes_where_it_is_told(route, integers):
    a, w = integers(0, 255, (3, 5, 70), np.uint8), integers(-128, 127, (3, 70, 4))
    packed = pack_weights(w, (0, 255), 0, route)
    out = np.empty((3, 5, 4), np.int32 if packed.fits_int32 else np.int64)
    assert gemm_packed(a, packed, out) is out
    assert (out == exact(a, 0, w)).all()
    with pytest.raises(ExecutionError, match=r"out must be contiguous int(32|64) \[3, 5, 4\]"):
        gemm_packed(a, packed, np.empty((3, 5, 4), np.int16))


def test_codes_that_do_not_meet_the_weights_are_refused(route, integers):
    packed = pack_weights(integers(-8, 7, (2, 6, 4)), (0, 15), 0, route)
    with pytest.raises(ExecutionError, match=r"of shape \[5, 6\] do not meet packed weights, which take \[2, 'm', 6\]"):
        gemm_packed(integers(0, 15, (5, 6)), packed)
    with pytest.raises(ExecutionError, match=r"codes lie in 0\.\.16, outside the range 0\.\.15"):
        gemm_packed(integers(0, 16, (2, 5, 6), np.uint8), packed)


def test_the_best_route_is_taken_unless_one_is_asked_for(monkeypatch, integers):
    monkeypatch.delenv(VARIABLE, raising=False)
    w = integers(-64, 63, (8, 8))
    best = next((route.name for route in ROUTES if route.is_automatic and route.is_runnable), None)
    chosen = pack_weights(w, (0, 255)).route
    assert (chosen.name if chosen else None) == best
    monkeypatch.setenv(VARIABLE, "portable_bytes")
    assert pack_weights(w, (0, 255)).route.name == "portable_bytes"
    assert pack_weights(w, (0, 255), route="blas").route is None


def test_a_route_that_is_not_there_is_refused(monkeypatch, integers):
    w = integers(-8, 7, (4, 4))
    with pytest.raises(ExecutionError, match="gemm route 'avx3' does not exist; did you mean 'avx2'"):
        pack_weights(w, (0, 15), route="avx3")
    monkeypatch.setattr(cpu, "features", frozenset)
    with pytest.raises(ExecutionError, match=r"gemm route 'vnni': this processor lacks avx512bw, .*avx512vnni"):
        pack_weights(w, (0, 15), route="vnni")
    assert pack_weights(w, (0, 15)).route is None


def test_frozen_codes_are_the_same_type_to_the_compiler(integers):
    """numba compiles anew for arrays that cannot be written; activations come as either."""
    a, packed = integers(0, 255, (4, 20), np.uint8), pack_weights(integers(-128, 127, (20, 4)), (0, 255), 0)
    if packed.route is None:
        pytest.skip("no compiled route on this processor")
    first = gemm_packed(a, packed)
    compiled = len(DRIVERS[packed.route.name].signatures)
    a.flags.writeable = False
    assert (gemm_packed(a, packed) == first).all()
    assert len(DRIVERS[packed.route.name].signatures) == compiled
