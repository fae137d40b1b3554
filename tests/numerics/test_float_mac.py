"""The definition of rounded sums against formats, numpy's own floats and cases worked by hand."""

from fractions import Fraction
from math import copysign, inf, isnan, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import HwsimError
from hwsim.numerics.float_mac import FloatMac, accumulate, beyond, cast, fused, rounded
from hwsim.numerics.formats import FloatFormat

TEXTS = ("fp16", "bf16", "fp32", "fp8e4m3fn", "fp8e5m2", "fp6e2m3", "fp4e2m1")
FP16, BF16, FP32 = (FloatFormat.parse(text) for text in ("fp16", "bf16", "fp32"))
reals = st.floats(allow_nan=False, allow_infinity=False).filter(bool) | st.floats(-100, 100).filter(bool)


@given(reals, st.sampled_from(TEXTS))
def test_rounding_is_that_of_the_format(value, text):
    number = FloatFormat.parse(text)
    expected = float(number.decode(number.encode_real(np.array(value), saturate=False)))
    found = rounded(number, Fraction(value))
    assert (found == expected and copysign(1, found) == copysign(1, expected)) or (isnan(found) and isnan(expected))


@given(st.floats(width=32), st.floats(width=32), st.floats(width=32))
def test_sums_in_fp32_are_those_of_exact_products(a, w, psum):
    """numpy adds in float64 what has at most 48 bits; where that is exact the fused result is one cast of it."""
    with np.errstate(all="ignore"):
        whole = np.float64(a) * np.float64(w) + np.float64(psum)
        expected = float(np.float32(whole))
    if np.isfinite(whole) and Fraction(a) * Fraction(w) + Fraction(psum) != Fraction(float(whole)):
        return
    found = fused(FP32, a, w, psum)
    assert found == expected or (isnan(found) and isnan(expected))


@pytest.mark.parametrize(
    ("a", "w", "psum", "expected"),
    [
        (inf, 1.0, 0.0, inf), (inf, -1.0, 0.0, -inf), (inf, 0.0, 0.0, nan), (inf, 1.0, -inf, nan), (nan, 1.0, 0.0, nan),
        (60000.0, 2.0, 0.0, inf), (-60000.0, 2.0, 0.0, -inf), (1.0, 1.0, -1.0, 0.0), (-0.0, 1.0, -0.0, -0.0),
        (-0.0, 1.0, 0.0, 0.0), (2.0**-24, 0.5, 0.0, 0.0), (-(2.0**-24), 0.5, 0.0, -0.0), (2.0**-24, 0.75, 0.0, 2.0**-24),
    ],
)  # fmt: skip
def test_ends_of_fp16(a, w, psum, expected):
    found = fused(FP16, a, w, psum)
    assert (isnan(found) and isnan(expected)) or (found == expected and copysign(1, found) == copysign(1, expected))


def test_what_lies_beyond():
    assert [beyond(FloatFormat.parse(text)) for text in ("bf16", "fp4e2m1")] == [inf, 6.0]
    assert isnan(beyond(FloatFormat.parse("fp8e4m3fn")))
    assert isnan(fused(FloatFormat.parse("fp8e4m3fn"), 448.0, 2.0, 0.0))


def test_the_product_is_not_rounded_before_it_is_added():
    """(1 + 2^-6)^2 = 1 + 2^-5 + 2^-12: rounded to fp16 first, the last term would be lost."""
    a = 1 + 2.0**-6
    assert fused(FP16, a, a, -1.0) == 2.0**-5 + 2.0**-12
    assert float(np.float16(a) * np.float16(a) - np.float16(1)) == 2.0**-5


def test_the_order_decides():
    large, ones = [2048.0], [1.0] * 4
    assert accumulate(large + ones, [1.0] * 5, segments=[5], total=FP16) == 2048.0
    assert accumulate(ones + large, [1.0] * 5, segments=[5], total=FP16) == 2052.0
    assert accumulate(large + ones, [1.0] * 5, segments=[1, 4], total=FP16) == 2052.0
    assert accumulate(ones, ones, segments=[4], total=FP16, start=2048.0) == 2052.0
    assert accumulate(ones, ones, segments=[1] * 4, total=FP16, start=2048.0) == 2048.0


@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
def test_fp16_products_in_fp32_are_numpys_sequential_sum(seed, k):
    rng = np.random.default_rng(seed)
    a, w = (rng.normal(size=k).astype(np.float16) for _ in "aw")
    total = np.float32(0)
    for x, y in zip(a, w, strict=True):
        total = total + np.float32(x) * np.float32(y)
    assert accumulate(a.tolist(), w.tolist(), segments=[k], total=FP32) == float(total)


def test_a_cast_is_one_rounding():
    values = np.array([65519.0, 65520.0, 1 + 2.0**-11, 1 + 2.0**-11 + 2.0**-40, nan])
    np.testing.assert_array_equal(cast(FP16, values), np.array([65504, inf, 1, 1 + 2.0**-10, nan], np.float32))


@pytest.mark.parametrize(
    ("operand", "total", "message"),
    [
        ("fp32", "fp16", "sums in fp16 must have the exponent and mantissa bits of fp32 at least"),
        ("bf16", "fp16", "sums in fp16 must have"),
        ("fp16", "fp24e9m14", "fp24e9m14 must be signed, with subnormal numbers, and every number one of fp32"),
        ("e8m0", "fp32", "e8m0|must be signed"),
        ("fp16e5m10:flush", "fp32", "with subnormal numbers"),
    ],
)
def test_formats_without_an_arithmetic(operand, total, message):
    with pytest.raises(HwsimError, match=message):
        FloatMac(operand=FloatFormat.parse(operand), total=FloatFormat.parse(total))


def test_operands_without_a_fold():
    with pytest.raises(HwsimError, match=r"segments \[1\] must sum to the 2 and 2 operands"):
        accumulate([1.0, 2.0], [1.0, 2.0], segments=[1], total=BF16)
