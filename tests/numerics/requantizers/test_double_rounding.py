"""``tflite_double``, ``cmsis_nn`` and ``qnnpack_q31`` against their C sources, transcribed with C's own operators."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hwsim.errors import HwsimError
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers import cmsis_nn, fixed_point, qnnpack_q31, tflite_double
from hwsim.numerics.requantizers._double_rounding import wrap32

INT32 = -(1 << 31), (1 << 31) - 1
UNIT = Requantizer(scheme="tflite_double")
plain = st.integers(*INT32)
tied = st.builds(lambda odd, places, off: wrap32((odd << places) + off), plain, st.integers(0, 31), st.integers(-1, 1))
values = plain | tied | st.integers(-300, 300)
normalized = st.integers(1 << 30, INT32[1]) | st.builds(lambda bit: (1 << 30) | (1 << bit), st.integers(0, 30))


def c_divide(numerator, denominator):
    """C's integer division, towards zero."""
    return (abs(numerator) // abs(denominator)) * (1 if (numerator < 0) == (denominator < 0) else -1)


def gemmlowp(x, multiplier, tflite_shift):
    left, right = max(tflite_shift, 0), max(-tflite_shift, 0)
    a = wrap32(x * (1 << left))
    if a == multiplier == INT32[0]:
        high = INT32[1]
    else:
        product = a * multiplier
        high = c_divide(product + ((1 << 30) if product >= 0 else 1 - (1 << 30)), 1 << 31)
    mask = (1 << right) - 1
    return (high >> right) + ((high & mask) > (mask >> 1) + (high < 0))


def cmsis(x, multiplier, tflite_shift):
    left, right = max(tflite_shift, 0), max(-tflite_shift, 0)
    high = wrap32(((1 << 30) + wrap32(x * (1 << left)) * multiplier) >> 31)
    mask = (1 << right) - 1
    result = high >> right
    return result + ((mask & high) > (mask >> 1) + (result < 0))


@given(x=values, multiplier=normalized | plain, tflite_shift=st.integers(-31, 31))
@example(x=INT32[0], multiplier=INT32[0], tflite_shift=0)
@example(x=INT32[0], multiplier=INT32[0], tflite_shift=-3)
def test_the_c_sources(x, multiplier, tflite_shift):
    got = [m.requantize_one(x, multiplier, 31 - tflite_shift, UNIT, 0, *INT32) for m in (tflite_double, cmsis_nn)]
    assert got == [gemmlowp(x, multiplier, tflite_shift), cmsis(x, multiplier, tflite_shift)]
    if multiplier != INT32[0]:
        assert got[0] == got[1]


@pytest.mark.parametrize("places", range(8))
def test_every_small_tie(places):
    for x in range(-600, 600):
        for multiplier in (1 << 30, 3 << 29):
            expected = gemmlowp(x, multiplier, -places)
            for module in (tflite_double, cmsis_nn, qnnpack_q31):
                assert module.requantize_one(x, multiplier, 31 + places, UNIT, 0, *INT32) == expected


@given(x=values, multiplier=normalized, places=st.integers(0, 31))
def test_qnnpack_is_gemmlowp_on_its_own_constants(x, multiplier, places):
    assert qnnpack_q31.requantize_one(x, multiplier, 31 + places, UNIT, 0, *INT32) == gemmlowp(x, multiplier, -places)


@given(x=values, multiplier=normalized, tflite_shift=st.integers(-31, 0))
def test_twice_rounded_is_single_rounding_or_one_off_near_a_half(x, multiplier, tflite_shift):
    twice = tflite_double.requantize_one(x, multiplier, 31 - tflite_shift, UNIT, 0, *INT32)
    assert abs(twice - fixed_point.requantize_one(x, multiplier, 31 - tflite_shift, Requantizer(), 0, *INT32)) <= 1


def test_qnnpack_source_sees_the_sign_of_the_accumulator():
    """-1 * 2^30 rounds to 0: gemmlowp sees no sign, QNNPACK sees minus one; both stay at 0."""
    for places in range(32):
        assert qnnpack_q31.requantize_one(-1, 1 << 30, 31 + places, UNIT, 0, *INT32) == 0


def quantize_multiplier(real):
    """``quantization_util.cc``, in C's order."""
    q, shift = math.frexp(real)
    fixed = math.floor(abs(q) * (1 << 31) + 0.5) * (1 if q > 0 else -1)
    if fixed == 1 << 31:
        fixed, shift = fixed // 2, shift + 1
    return (0, 0) if shift < -31 else (fixed, shift)


@given(real=st.floats(1e-12, 1e12) | st.floats(-1e12, -1e-12) | st.floats(2.0**-33, 2.0**-31))
@example(real=math.nextafter(1, 0))
@example(real=-math.nextafter(1, 0))
@example(real=math.nextafter(2.0**-32, 0))
@example(real=2.0**-32)
@example(real=1e300)
def test_multipliers(real):
    made = tflite_double.constants(np.array([real]), UNIT)
    assert (int(made.multiplier[0]), 31 - int(made.shift[0])) == quantize_multiplier(real)
    assert made.multiplier.dtype == made.shift.dtype == np.int64
    if 2.0**-32 <= real < 2.0**30:
        same = fixed_point.constants(np.array([real]), Requantizer())
        assert (same.multiplier, same.shift) == (made.multiplier, made.shift)


@given(
    codes=st.tuples(st.integers(-255, 255), st.integers(-255, 255)),
    scales=st.tuples(*[st.floats(0.001, 10)] * 3),
    sign=st.sampled_from([1, -1]),
    zero_point=st.integers(-128, 127),
)
def test_add_and_subtract(codes, scales, sign, zero_point):
    """``add.cc``; an output scale that is a power of two makes the ratios exact, as the quotients of scales are there."""
    first, second = scales[:2]
    output = 2.0 ** math.floor(math.log2(scales[2]))
    twice = 2 * max(first, second)
    total = 0
    for code, scale, factor in ((codes[0], first, 1), (codes[1], second, sign)):
        multiplier, shift = quantize_multiplier(scale / twice)
        total += gemmlowp(code << 20, factor * multiplier, shift)
    expected = gemmlowp(total, *quantize_multiplier(twice / ((1 << 20) * output))) + zero_point
    made = tflite_double.sum_constants(np.array([first / output, sign * second / output]), UNIT)
    assert made.shifts.tolist() == [31 - quantize_multiplier(scale / twice)[1] for scale in (first, second)]
    assert (made.total_multiplier, 31 - made.shift) == quantize_multiplier(twice / ((1 << 20) * output))
    for module in (tflite_double, cmsis_nn):
        assert module.rescale_sum_one(list(codes), made, UNIT, zero_point, *INT32) == expected
    assert tflite_double.rescale_sum_one(list(codes), made, UNIT, zero_point, -128, 127) == max(
        min(expected, 127), -128
    )


def test_codes_too_wide_for_the_add():
    made = tflite_double.sum_constants(np.array([1.0, 1.0]), UNIT)
    assert tflite_double.rescale_sum_one([-2048, 2047], made, UNIT, 0, *INT32) == -1
    with pytest.raises(
        HwsimError, match=r"by 20 places in 32 bits takes centred codes of 12 bits, not 2048; use tflite_i"
    ):
        tflite_double.rescale_sum_one([0, 2048], made, UNIT, 0, *INT32)
