"""Text forms, constants and units of the scaler between the array and the accumulator."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import HwsimError
from hwsim.numerics.rounding import Rounding, rounding_shift
from hwsim.numerics.segments import SegmentScaling, units


@pytest.mark.parametrize(("text", "whole", "bits"), [
    ("fixed_point", "fixed_point:16:8:half_up", 16),
    ("fixed_point:24", "fixed_point:24:8:half_up", 24),
    ("fixed_point:24:0:half_even", "fixed_point:24:0:half_even", 24),
    ("shift", "shift:8:half_up", 8),
    ("shift:3:floor", "shift:3:floor", 8),
    ("float32", "float32", 32),
])  # fmt: skip
def test_text_forms(text, whole, bits):
    scaling = SegmentScaling.parse(text)
    assert (str(scaling), scaling.constant_bits) == (whole, bits)
    assert SegmentScaling.parse(whole) == scaling
    assert hash(SegmentScaling.parse(whole)) == hash(scaling)


@pytest.mark.parametrize(("text", "problem"), [
    ("fixd_point", "'fixd_point' is unknown; did you mean 'fixed_point'?"),
    ("fixed_point:40", "multiplier_bits must be 2..32, not 40"),
    ("fixed_point:16:32", "fraction_bits must be 0..31, not 32"),
    ("fixed_point:wide", "'fixed_point:wide': multiplier_bits must be a whole number, not 'wide'"),
    ("shift:8:half_upp", "'shift:8:half_upp': rounding 'half_upp' is unknown; did you mean 'half_up'?"),
    ("shift:8:half_up:3", "'shift:8:half_up:3' has more parts than shift reads: fraction_bits, rounding"),
    ("float32:8", "'float32:8' has more parts than float32 reads: none"),
])  # fmt: skip
def test_refused(text, problem):
    with pytest.raises(HwsimError) as caught:
        SegmentScaling.parse(text)
    assert str(caught.value) == f"segment_scaling: {problem}"


def test_a_key_that_is_not_read_is_refused():
    with pytest.raises(HwsimError, match="rounding = floor is stated, but float32 does not read it"):
        SegmentScaling(kind=SegmentScaling.parse("float32").kind, rounding=Rounding.FLOOR)


@given(st.floats(-1, 1).filter(lambda ratio: ratio != 0), st.integers(2, 32), st.integers(0, 31))
def test_the_multiplier_is_the_ratio_to_half_a_step(ratio, bits, fraction):
    (multiplier,), (shift,) = SegmentScaling.parse(f"fixed_point:{bits}:{fraction}").constants(np.array([ratio]))
    assert shift == bits - 1 - fraction
    assert abs(int(multiplier)) <= 1 << (bits - 1), "B bits without a sign"
    assert abs(Fraction(int(multiplier)) - Fraction(ratio) * (1 << (bits - 1))) <= Fraction(1, 2)


@given(st.integers(-120, 0), st.integers(0, 31), st.sampled_from([-1, 1]), st.integers(-(2**40), 2**40))
def test_a_shift_is_exact_where_it_goes_left(exponent, fraction, sign, value):
    scaling = SegmentScaling.parse(f"shift:{fraction}")
    (multiplier,), (shift,) = scaling.constants(np.array([sign * 2.0**exponent]))
    term = rounding_shift(value * int(multiplier), int(shift), scaling.rounding)
    exact = value * sign * Fraction(2) ** (fraction + exponent)
    assert abs(term - exact) <= (0 if fraction + exponent >= 0 else Fraction(1, 2))


def test_a_shift_needs_powers_of_two():
    with pytest.raises(HwsimError, match=r"ratios are powers of two, but one is 0\.3; .*fixed_point"):
        SegmentScaling.parse("shift").constants(np.array([1.0, 0.3]))


def test_a_float_scaler_has_no_integers():
    with pytest.raises(HwsimError, match="no integer constants"):
        SegmentScaling.parse("float32").constants(np.ones(1))


def test_the_unit_is_the_largest_scale_that_counts():
    scales = np.array([[1.0, 1.0, -4.0], [2.0, 8.0, 2.0]])
    used = np.array([[True, True, True], [True, False, True]])
    unit, ratio = units(scales, used)
    assert unit.tolist() == [2.0, 1.0, 4.0]
    assert ratio.tolist() == [[0.5, 1.0, -1.0], [1.0, 1.0, 0.5]], "segments without weights take 1"
    unit, _ = units(scales, np.zeros((2, 3), bool))
    assert unit.tolist() == [2.0, 8.0, 4.0], "a column of zeros has a unit all the same"
