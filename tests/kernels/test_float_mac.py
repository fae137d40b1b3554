"""Rounded sums side by side against the definition on fractions, output by output and bit by bit."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hwsim.errors import ExecutionError
from hwsim.kernels import float_mac
from hwsim.kernels.float_mac import SIDE_BY_SIDE, accumulate, lane_of
from hwsim.numerics.float_mac import FloatMac
from hwsim.numerics.float_mac import accumulate as one_by_one
from hwsim.numerics.formats import FloatFormat

PAIRS = (
    "fp16:fp32", "bf16:fp32", "fp32:fp32", "fp8e4m3fn:fp32", "fp16:fp16", "fp8e4m3fn:fp16", "fp8e5m2:fp16", "bf16:bf16",
    "fp8e4m3fn:bf16", "fp8e4m3fn:fp8e4m3fn", "fp8e5m2:fp8e5m2", "fp8e4m3fnuz:fp8e4m3fnuz", "fp6e2m3:fp6e2m3", "fp16:fp22e6m15",
    "fp16:fp29e7m21", "fp4e2m1:fp16",
)  # fmt: skip


def mac_of(text):
    operand, total = (FloatFormat.parse(word) for word in text.split(":"))
    return FloatMac(operand=operand, total=total)


def drawn(rng, number, shape, kind):
    """Numbers of a format: any codes, those without infinity and NaN, or of about the same size."""
    codes = rng.integers(0, 1 << number.bits, shape, dtype=np.uint64).astype(number.storage_dtype)
    values = number.decode(codes)
    if kind == "any":
        return values.astype(np.float32)
    usual = number.decode(number.encode_real(rng.normal(size=shape)))
    return np.where(np.isfinite(values) & (kind == "finite"), values, usual).astype(np.float32)


def expected(a, w, segments, mac, start):
    groups, m, _ = a.shape
    result = np.empty((groups, m, w.shape[2]), np.float32)
    for g, i, j in np.ndindex(*result.shape):
        result[g, i, j] = one_by_one(
            a[g, i].tolist(), w[g, :, j].tolist(), segments=segments, total=mac.total, start=float(start[g, i, j])
        )
    return result


def check(found, wanted):
    np.testing.assert_array_equal(found, wanted)
    number = ~np.isnan(wanted)
    np.testing.assert_array_equal(np.signbit(found)[number], np.signbit(wanted)[number])


def compare(text, seed, kind, k=None, sides=None):
    rng, mac = np.random.default_rng(seed), mac_of(text)
    m, n = sides or rng.integers(1, 5, 2)
    k = k or int(rng.integers(1, 9))
    cuts = np.sort(rng.choice(np.arange(1, k), min(k - 1, int(rng.integers(0, 3))), replace=False)) if k > 1 else []
    segments = np.diff([0, *cuts, k]).tolist()
    a, w = drawn(rng, mac.operand, (2, m, k), kind), drawn(rng, mac.operand, (2, k, n), kind)
    start = drawn(rng, mac.total, (2, m, n), kind)
    check(accumulate(a, w, segments, mac, start), expected(a, w, segments, mac, start))


@pytest.mark.parametrize("text", PAIRS)
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), kind=st.sampled_from(["any", "finite", "usual"]))
def test_fast_and_slow_agree(text, seed, kind):
    compare(text, seed, kind)


@pytest.mark.parametrize("text", ["fp16:fp32", "bf16:fp32", "fp32:fp32"])
def test_a_processor_without_fused_additions_gives_the_same_sums(text, monkeypatch):
    monkeypatch.setattr(float_mac, "features", lambda: frozenset({"avx2"}))
    for seed in range(40):
        compare(text, seed, ("any", "finite", "usual")[seed % 3])


@pytest.mark.parametrize("text", ["fp16:fp32", "fp16:fp16", "bf16:bf16"])
@pytest.mark.parametrize("sides", [(2, SIDE_BY_SIDE + 3), (SIDE_BY_SIDE + 3, 1)])
def test_more_outputs_than_lie_side_by_side(text, sides):
    compare(text, 5, "usual", k=7, sides=sides)


@pytest.mark.parametrize("text", ["fp4e2m1:fp6e2m3", "fp4e2m1:fp4e2m1"])
def test_every_product_and_sum_of_a_narrow_format(text):
    """All pairs of factors onto all sums: 16 x 16 x 64 at most."""
    mac = mac_of(text)
    factors, sums = (
        number.decode(np.arange(1 << number.bits)).astype(np.float32) for number in (mac.operand, mac.total)
    )
    a, w = np.meshgrid(factors, factors)
    start = np.broadcast_to(sums[None, None, :], (a.size, 1, sums.size))
    wide = np.broadcast_to(w.reshape(-1, 1, 1), start.shape)
    found = accumulate(a.reshape(-1, 1, 1), np.ascontiguousarray(wide), [1], mac, start)
    check(found, expected(a.reshape(-1, 1, 1), wide, [1], mac, start))


MIDDLES = [(x, y) for x in range(3, 256, 2) for y in range(x, 256, 2) if 256 < x * y < 512]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(MIDDLES), st.integers(-100, 100), st.integers(-60, 55), st.sampled_from([-1, 0, 1]))
@example((7, 37), 0, -50, -1)
def test_what_decides_a_tie_may_be_far_below(factors, up, down, sign):
    """Products of nine bits lie in the middle of two bf16 numbers; float64 alone loses a sum 2^-53 of them and less."""
    mac, (x, y) = mac_of("bf16:bf16"), factors
    a = np.array([[[sign * 2.0**down, x * 2.0**up]]], np.float32)
    w = np.array([[[2.0**down], [y]]], np.float32)
    check(accumulate(a, w, [2], mac), expected(a, w, [2], mac, np.zeros((1, 1, 1))))


@pytest.mark.parametrize(("sign", "wanted"), [(-1, 258), (0, 260), (1, 260)])
def test_a_tie_that_float64_alone_would_lose(sign, wanted):
    a, w = np.array([[[sign * 2.0**-50, 7]]], np.float32), np.array([[[2.0**-50], [37]]], np.float32)
    assert accumulate(a, w, [2], mac_of("bf16:bf16")).item() == wanted
    assert sign * 2.0**-100 + 7.0 * 37.0 == 259


@pytest.mark.parametrize(
    ("text", "lane"),
    [("fp16:fp16", "float32"), ("fp8e4m3fn:fp16", "float32"), ("bf16:bf16", "float64"), ("fp16:fp29e7m21", "float32"), ("fp16:fp32", "float64"), ("fp16:fp30e7m22", "float64"), ("fp8e4m3fn:bf16", "float64")],
)  # fmt: skip
def test_the_narrowest_lane(text, lane):
    assert lane_of(mac_of(text)).__name__ == lane


def test_folds_that_are_no_k():
    with pytest.raises(ExecutionError, match="must be positive and sum to k=4"):
        accumulate(np.ones((1, 2, 4), np.float32), np.ones((1, 4, 2), np.float32), [3], mac_of("fp16:fp32"))
