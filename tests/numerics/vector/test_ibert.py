"""I-BERT's functions: equal to the algorithms on Python integers, within 32 bits, and close to the real functions."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hwsim.errors import HwsimError
from hwsim.execute.float32.erf import erf
from hwsim.numerics.vector.ibert.gelu import integer_erf, integer_gelu
from hwsim.numerics.vector.ibert.layer_norm import Affine, integer_layer_norm, integer_sqrt
from hwsim.numerics.vector.ibert.polynomial import LARGEST, IntegerPolynomial
from hwsim.numerics.vector.ibert.softmax import RESULT_SCALE, integer_exp, integer_softmax
from tests.numerics.vector import ibert_one

SCALES = st.floats(-12, 0).map(lambda power: 2.0**power)
BYTES = np.arange(-255, 256)


def places_of(exact, used):
    """Return how far the codes were moved: the power of two between two scales."""
    places = math.log2(exact / used)
    assert places == pytest.approx(round(places), abs=1e-9)
    return round(places)


@given(st.integers(-(2**15), 2**15), st.floats(2.0**-10, 1.0))
def test_polynomial(code, scale):
    made = IntegerPolynomial.of(0.3585, 1.353, 0.344, scale)
    value, unit = ibert_one.poly(code, scale, 0.3585, 1.353, 0.344, ibert_one.Registers())
    assert (int(made(np.array([code]))[0]), made.scale) == (value, unit)


@settings(deadline=None)
@given(SCALES, st.sampled_from([127, 255, 32767]))
def test_gelu(scale, widest):
    codes = np.linspace(-widest, widest, 200).astype(np.int64)
    got, unit = integer_gelu(codes, scale, widest)
    places = places_of(scale / math.sqrt(2), math.sqrt(unit * 2 / scale / 0.2888))
    keep = ibert_one.Registers()
    expected = [ibert_one.gelu(code, scale, places, keep) for code in codes.tolist()]
    assert got.tolist() == [value for value, _ in expected]
    assert unit == pytest.approx(expected[0][1], rel=1e-12)
    assert keep.widest <= LARGEST
    assert 2 * int(np.abs(got).max()) * 2 > LARGEST // 8  # the registers are used
    real = codes * scale
    step = math.sqrt(unit * 2 / scale / 0.2888)  # of the operand of erf
    worst = np.abs(got * unit - real * (1 + erf(real / math.sqrt(2))) / 2)
    assert (worst <= 0.0182 + np.abs(real) * 2 * step).all()


def test_gelu_of_8_bits_is_as_close_as_the_polynomial():
    """The paper's 0.018, for every int8 grid that a transformer would use."""
    for scale in (0.01, 0.02, 0.05, 0.1):
        got, unit = integer_gelu(BYTES, scale, 255)
        real = BYTES * scale
        assert np.abs(got * unit - real * (1 + erf(real / math.sqrt(2))) / 2).max() < 0.019


def test_erf_of_8_bits():
    """The polynomial starts at 0.096 right of 0, where GELU multiplies it with almost nothing."""
    for scale in (0.005, 0.02, 0.1):
        got, unit = integer_erf(BYTES, scale)
        assert np.abs(got).max() <= LARGEST
        assert np.abs(got * unit - erf(BYTES * scale)).max() < 0.097
        assert (got == -got[::-1]).all()


@settings(deadline=None)
@given(SCALES, st.integers(0, 2**32 - 1), st.sampled_from([8, 16]))
def test_softmax(scale, seed, bits):
    rng = np.random.default_rng(seed)
    rows = rng.integers(-(1 << bits - 1), 1 << bits - 1, (2, int(rng.integers(1, 40))))
    got = integer_softmax(rows, scale)
    places = math.floor(math.log2(scale * 2.0**14))
    keep = ibert_one.Registers()
    assert got.tolist() == [ibert_one.softmax(row, scale, places, keep) for row in rows.tolist()]
    assert keep.widest <= LARGEST
    exact = np.exp((rows - rows.max(axis=1, keepdims=True)) * scale)
    assert np.abs(got * RESULT_SCALE - exact / exact.sum(axis=1, keepdims=True)).max() < 0.006


def test_exp_is_as_close_as_the_polynomial():
    """The paper's 0.0019, relative to exp(0)."""
    codes = np.arange(-800, 1)
    got = integer_exp(codes, 0.01)
    assert np.abs(got / got[-1] - np.exp(codes * 0.01)).max() < 0.003


def test_softmax_refuses_rows_whose_sum_may_leave_its_register():
    with pytest.raises(HwsimError, match="i-softmax: rows of 65537 may overflow a 32-bit sum of 16-bit exponentials"):
        integer_softmax(np.zeros((1, 65537), np.int64), 0.1)
    assert int(integer_exp(np.array([0]), 2.0**-14)[0]) * 65536 < 2**32


@given(st.lists(st.integers(0, 2**52), min_size=1))
@example([0, 1, 2, 3, 4, 2**31 - 1, 2**52])
def test_square_root(values):
    assert integer_sqrt(np.array(values)).tolist() == [math.isqrt(value) for value in values]


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([8, 16]), st.integers(1, 300))
def test_layer_norm(seed, bits, n):
    rng = np.random.default_rng(seed)
    span = (1 << bits) - 1
    centre, spread = rng.integers(0, span), int(rng.integers(1, span))
    rows = np.clip(rng.integers(centre - spread, centre + spread + 1, (3, n)), 0, span)
    weight, bias = rng.normal(0, 1, n).astype(np.float32), rng.normal(0, 2, n).astype(np.float32)
    affine = Affine.of(weight, bias)
    got = integer_layer_norm(rows, span, affine)
    places = math.floor(math.log2(LARGEST / (n * span * span)) / 2)
    keep = ibert_one.Registers()
    expected = [
        ibert_one.layer_norm(row, places, affine.weight.tolist(), affine.bias.tolist(), keep) for row in rows.tolist()
    ]
    assert got.tolist() == expected
    assert keep.widest <= LARGEST + 1


def test_layer_norm_of_a_transformer_row():
    rng = np.random.default_rng(0)
    rows = np.clip(rng.normal(10, 25, (20, 768)).round(), -128, 127).astype(np.int64)
    weight, bias = rng.normal(1, 0.2, 768), rng.normal(0, 0.1, 768)
    affine = Affine.of(weight, bias)
    exact = (rows - rows.mean(axis=1, keepdims=True)) / rows.std(axis=1, keepdims=True) * weight + bias
    error = np.abs(integer_layer_norm(rows, 255, affine) * affine.scale - exact)
    assert error.max() < 0.02
    assert error.mean() < 0.004


def test_layer_norm_without_spread_or_weight():
    affine = Affine.of(np.zeros(4), np.array([1.0, -1.0, 0.5, 0.0]))
    got = integer_layer_norm(np.full((1, 4), 7), 255, affine) * affine.scale
    assert got.tolist()[0] == pytest.approx([1.0, -1.0, 0.5, 0.0], abs=1e-6)
    assert not integer_layer_norm(np.full((1, 4), 7), 255, Affine.of(np.ones(4), None)).any()
