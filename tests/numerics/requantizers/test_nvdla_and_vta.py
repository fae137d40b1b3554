"""``nvdla_sdp`` and ``vta_shift``: register widths, the two saturations, the wrap."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import HwsimError
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers import definition, fixed_point, nvdla_sdp
from hwsim.numerics.rounding import Rounding

power_of_two = definition("power_of_two")
vta_shift = definition("vta_shift")

NVDLA = Requantizer(scheme="nvdla_sdp")
VTA = Requantizer(scheme="vta_shift")
AWAY = Requantizer(multiplier_bits=16, rounding=Rounding.HALF_AWAY)
int32 = st.integers(-(1 << 31), (1 << 31) - 1)


@given(x=int32 | st.integers(-400, 400), scale=st.floats(2.0**-48, 32000.0) | st.floats(-32000.0, -(2.0**-48)))
def test_without_a_zero_point_it_is_16_bits_half_away(x, scale):
    made, same = nvdla_sdp.constants(np.array([scale]), NVDLA), fixed_point.constants(np.array([scale]), AWAY)
    assert (made.multiplier, made.shift) == (same.multiplier, same.shift)
    arguments = x, int(made.multiplier[0]), int(made.shift[0])
    expected = fixed_point.requantize_one(*arguments, AWAY, 0, -128, 127)
    assert nvdla_sdp.requantize_one(*arguments, NVDLA, 0, -128, 127) == expected


@given(scale=st.floats(2.0**-70, 2.0**-49) | st.floats(-(2.0**-49), -(2.0**-70)), x=int32)
def test_a_scale_beyond_six_bits_of_shift(scale, x):
    made = nvdla_sdp.constants(np.array([scale]), NVDLA)
    assert int(made.shift[0]) == 63
    assert abs(int(made.multiplier[0]) - Fraction(scale) * 2**63) <= 1
    assert nvdla_sdp.requantize_one(x, int(made.multiplier[0]), 63, NVDLA, 0, -128, 127) == 0


def test_what_the_registers_do_not_hold():
    with pytest.raises(HwsimError, match="multipliers of 16 bits and shifts of 0 to 63, not -1"):
        nvdla_sdp.constants(np.array([1.0, 32768.0]), NVDLA)
    with pytest.raises(
        HwsimError, match=r"no offset of 32 bits for the output zero point 3 at the scale 16384 \* 2\^-46"
    ):
        nvdla_sdp.requantize_one(0, 16384, 46, NVDLA, 3, -128, 127)
    with pytest.raises(HwsimError, match="multipliers of 16 bits and shifts of 0 to 63, not -2"):
        nvdla_sdp.sum_constants(np.array([65536.0, 65536.0]), NVDLA)


@given(z=st.integers(-128, 127), multiplier=st.integers(-32767, 32767), shift=st.integers(0, 30))
def test_the_offset_is_the_nearest(z, multiplier, shift):
    if multiplier == 0 or abs(z << shift) >= (1 << 31) * abs(multiplier) - abs(multiplier):
        return
    exact = Fraction(-z << shift, multiplier)
    assert abs(nvdla_sdp.offset_of(z, multiplier, shift) - exact) <= Fraction(1, 2)


def test_saturations_in_their_places():
    """32 bits before the offset, 17 bits after the shift, the output last."""
    assert nvdla_sdp.convert(1 << 40, 0, 1, 0, -(1 << 40), 1 << 40) == 65535
    assert nvdla_sdp.convert(1 << 40, (1 << 31) - 6, 1, 0, -128, 127) == 5
    assert nvdla_sdp.convert(-(1 << 20), 0, 1, 0, -(1 << 40), 1 << 40) == -65536
    assert nvdla_sdp.convert(-(1 << 20), 0, 1, 0, -128, 127) == -128


def test_add_of_codes_with_the_zero_point_inside():
    """-1.5 away from zero is -2, but -1.5 + 2 is 0.5 and goes to 1."""
    made = nvdla_sdp.sum_constants(np.array([0.5, 0.5]), NVDLA)
    assert nvdla_sdp.rescale_sum_one([-1, -2], made, NVDLA, 0, -128, 127) == -2
    assert nvdla_sdp.rescale_sum_one([-1, -2], made, NVDLA, 2, -128, 127) == 1


@given(x=int32 | st.integers(-300, 300), shift=st.integers(-8, 40), z=st.integers(-128, 127))
def test_vta_keeps_the_low_bits_and_clips_when_asked(x, shift, z):
    raw = np.array([x], np.int64).astype(np.int32)
    raw = (raw >> min(shift, 31) if shift >= 0 else raw << -shift) + np.int32(z)
    for low, high, stored in ((-128, 127, np.int8), (0, 255, np.uint8), (-(1 << 15), (1 << 15) - 1, np.int16)):
        assert vta_shift.requantize_one(x, 1, shift, VTA, z, low, high) == raw.astype(stored)[0]
    assert vta_shift.requantize_one(x, 1, shift, VTA, z, 0, 127) == np.maximum(raw, 0).astype(np.int8)[0]
    assert vta_shift.requantize_one(x, 1, shift, VTA, z, -8, 7) == np.clip(raw, -8, 7)[0]


@given(x=st.integers(-(1 << 30), 1 << 30), shift=st.integers(0, 31))
def test_vta_clipped_is_power_of_two_floor(x, shift):
    floor = Requantizer(scheme="power_of_two", rounding=Rounding.FLOOR)
    clipped = power_of_two.requantize_one(x, 1, shift, floor, 0, -127, 126)
    assert vta_shift.requantize_one(x, 1, shift, VTA, 0, -127, 126) == clipped
    if -128 <= x >> shift <= 127:
        assert vta_shift.requantize_one(x, 1, shift, VTA, 0, -128, 127) == x >> shift


def test_vta_add():
    made = vta_shift.sum_constants(np.array([0.25, 1.0]), VTA)
    assert vta_shift.rescale_sum_one([3, -5], made, VTA, 0, -128, 127) == -5
    assert vta_shift.rescale_sum_one([0, 130], made, VTA, 0, -128, 127) == -126
