"""Schemes that round once: their constants, and where they are a scheme that was there before."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hwsim.errors import HwsimError
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers import definition, fixed_point, tflite_double
from hwsim.numerics.rounding import Rounding

power_of_two = definition("power_of_two")
tflite_int16x8 = definition("tflite_int16x8")

xnnpack_rndnu, qnnpack_q31 = definition("xnnpack_rndnu"), definition("qnnpack_q31")
INT32 = -(1 << 31), (1 << 31) - 1
UNIT = Requantizer()
accumulators = st.integers(*INT32) | st.builds(
    lambda odd, places: odd << places, st.integers(-99, 99), st.integers(0, 24)
)


def float_bits(value):
    bits = int(np.float32(value).view(np.uint32))
    return bits >> 23, (bits & 0x7FFFFF) | 0x800000


@given(scale=st.floats(2.0**-32, 255, width=32), x=accumulators)
@example(scale=2.0**-32, x=INT32[0])
def test_xnnpack_is_25_bits_half_up(scale, x):
    """``microparams-init.c``: M from the float's bits, ``shift = 150 - exponent``; also NEON's pre-shift free order."""
    exponent, significand = float_bits(scale)
    made = xnnpack_rndnu.constants(np.array([scale]), UNIT)
    assert (int(made.multiplier[0]), int(made.shift[0])) == (significand, 150 - exponent)
    shift = 150 - exponent
    y = (x * significand + (1 << (shift - 1))) >> shift
    assert xnnpack_rndnu.requantize_one(x, significand, shift, UNIT, 0, -(1 << 60), 1 << 60) == y
    same = fixed_point.constants(np.array([scale]), Requantizer(multiplier_bits=25))
    assert (same.multiplier, same.shift) == (made.multiplier, made.shift)
    assert fixed_point.requantize_one(x, significand, shift, UNIT, 0, -(1 << 60), 1 << 60) == y
    if exponent < 126:
        neon = (x * (significand << 7)) >> 31
        places = shift - 24
        assert (neon + (1 << (places - 1))) >> places == y


@given(scale=st.floats(2.0**-32, 1 - 2.0**-24, width=32))
def test_qnnpack_constants(scale):
    exponent, significand = float_bits(scale)
    made = qnnpack_q31.constants(np.array([scale]), UNIT)
    assert (int(made.multiplier[0]), int(made.shift[0])) == (significand << 7, 31 + 126 - exponent)


def test_ties_of_the_adds():
    for module, expected in ((xnnpack_rndnu, [-1, 0, 1, 2]), (qnnpack_q31, [-2, -1, 1, 2])):
        made = module.sum_constants(np.array([0.5]), UNIT)
        assert [module.rescale_sum_one([code], made, UNIT, 0, -128, 127) for code in (-3, -1, 1, 3)] == expected


def test_scales_that_the_libraries_refuse():
    for module, wrong in (
        (xnnpack_rndnu, 256.0),
        (qnnpack_q31, 1 - 2**-40),
        (xnnpack_rndnu, -0.5),
        (qnnpack_q31, 1e300),
    ):
        with pytest.raises(HwsimError, match=r"takes scales from 2\^-32 to below 2\^[08], but number 1 is"):
            module.constants(np.array([0.5, wrong]), UNIT)
    with pytest.raises(HwsimError, match=r"magnitudes from 2\^-10 to below 2\^8, but number 0 is 0\.0001"):
        xnnpack_rndnu.sum_constants(np.array([1e-4, 1.0]), UNIT)
    with pytest.raises(HwsimError, match=r"the Add of qnnpack_q31 takes scales from 2\^-14"):
        qnnpack_q31.sum_constants(np.array([1.0, -1.0]), UNIT)
    for wrong in (-0.5, 128.0):
        with pytest.raises(HwsimError, match=r"above 0 and below 128, but channel 1 has"):
            tflite_int16x8.constants(np.array([0.5, wrong]), UNIT)


ratio_lists = st.lists(
    st.floats(2.0**-10, 255, width=32) | st.integers(-10, 7).map(lambda e: 2.0**e), min_size=1, max_size=3
)


@given(ratios=ratio_lists, data=st.data())
def test_adds_of_xnnpack_and_qnnpack(ratios, data):
    codes = [data.draw(st.integers(-255, 255)) for _ in ratios]
    for module, bits, rounding in ((xnnpack_rndnu, 20, Rounding.HALF_UP), (qnnpack_q31, 21, Rounding.HALF_AWAY)):
        shift = bits - (float_bits(max(ratios))[0] - 127)
        made = module.sum_constants(np.array(ratios), UNIT)
        assert made.shift == shift
        assert made.multiplier.tolist() == [round(Fraction(ratio) * 2**shift) for ratio in ratios]
        exact = Fraction(sum(c * m for c, m in zip(codes, made.multiplier.tolist(), strict=True)), 1 << shift)
        away = rounding is Rounding.HALF_AWAY and exact < 0
        expected = -math.floor(-exact + Fraction(1, 2)) if away else math.floor(exact + Fraction(1, 2))
        assert module.rescale_sum_one(codes, made, UNIT, 5, -(1 << 40), 1 << 40) == expected + 5


@given(scale=st.floats(2.0**-30, 127.9), x=st.integers(-(1 << 47), (1 << 47) - 1))
@example(scale=1 - 2.0**-20, x=3)
def test_int16x8_of_the_c_source(scale, x):
    made = tflite_double.constants(np.array([scale]), UNIT)
    m, shift = int(made.multiplier[0]), 31 - int(made.shift[0])
    reduced = (m + (1 << 15)) >> 16 if m < 0x7FFF0000 else 0x7FFF
    got = tflite_int16x8.constants(np.array([scale]), UNIT)
    assert (int(got.multiplier[0]), int(got.shift[0])) == (reduced, 15 - shift)
    expected = (x * reduced + (1 << (14 - shift))) >> (15 - shift)
    assert tflite_int16x8.requantize_one(x, reduced, 15 - shift, UNIT, 0, -(1 << 70), 1 << 70) == expected


def test_int16x8_is_not_16_bits_half_up():
    """The cut at 0x7FFF, and a multiplier whose 31 bits round up to a tie of 16."""
    for scale in (1 - 2.0**-20, 0.5 + 2.0**-16 - 2.0**-34):
        once = fixed_point.constants(np.array([scale]), Requantizer(multiplier_bits=16))
        twice = tflite_int16x8.constants(np.array([scale]), UNIT)
        assert once.multiplier[0] * 2.0 ** -float(once.shift[0]) != twice.multiplier[0] * 2.0 ** -float(twice.shift[0])


def test_int16_add_raises_by_15_places():
    made = tflite_int16x8.sum_constants(np.array([1.0, 1.0]), UNIT)
    assert tflite_int16x8.rescale_sum_one([65535, -65536], made, UNIT, 7, *INT32) == 6
    with pytest.raises(HwsimError, match="takes centred codes of 17 bits, not 65536"):
        tflite_int16x8.rescale_sum_one([0, 65536], made, UNIT, 0, *INT32)


@given(x=accumulators, scale=st.floats(2.0**-31, 2.0**20))
def test_ethos_u_roundings_are_of_the_record(x, scale):
    """Vela's ``NATURAL`` is ``fixed_point:32:half_up``, ``TRUNCATE`` is ``to_zero``."""
    q, exponent = math.frexp(scale)
    m, shift = math.floor(q * (1 << 31) + 0.5), 31 - exponent
    exact = Fraction(x * m) / Fraction(2) ** shift
    for rounding, expected in ((Rounding.HALF_UP, math.floor(exact + Fraction(1, 2))), (Rounding.TO_ZERO, int(exact))):
        unit = Requantizer(rounding=rounding)
        made = fixed_point.constants(np.array([scale]), unit)
        wide = -(1 << 90), 1 << 90
        assert fixed_point.requantize_one(x, int(made.multiplier[0]), int(made.shift[0]), unit, 0, *wide) == expected


@given(x=accumulators, n=st.integers(0, 31))
def test_gemmini_shift_is_power_of_two_half_even(x, n):
    """``(x >> n) + (bit[n-1] & (sticky | lsb))``, RISC-V's round to nearest even, then saturated."""
    half, sticky, odd = (x >> (n - 1)) & 1 if n else 0, x & ((1 << max(n - 1, 0)) - 1), (x >> n) & 1
    expected = min(max((x >> n) + (half & ((sticky != 0) | odd)), -128), 127)
    unit = Requantizer(scheme="power_of_two", rounding=Rounding.HALF_EVEN)
    made = power_of_two.constants(np.array([2.0**-n]), unit)
    assert power_of_two.requantize_one(x, 1, int(made.shift[0]), unit, 0, -128, 127) == expected
