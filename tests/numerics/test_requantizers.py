"""The definitions: what their constants mean, their errors, and agreement with exact rational arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import HwsimError
from hwsim.numerics.code_overflow import CodeOverflow
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers import definition, fixed_point, float32, names
from hwsim.numerics.rounding import Rounding

power_of_two = definition("power_of_two")

scales = st.floats(1e-30, 1e30) | st.floats(-1e30, -1e-30)


@pytest.mark.parametrize("scheme", names())
def test_every_file_is_a_whole_definition(scheme):
    module = definition(scheme)
    for name in ("real_scale", "constants", "requantize_one", "sum_constants", "rescale_sum_one"):
        assert callable(getattr(module, name))
    unit = Requantizer(scheme=scheme)
    constants = module.constants(module.real_scale(0.5, np.array([0.25, 0.5]), 0.5), unit)
    one = [
        module.requantize_one(8, m, s, unit, 3, -128, 127)
        for m, s in zip(constants.multiplier, constants.shift, strict=True)
    ]
    assert one == [5, 7]
    if "overflow" in module.KEYS:
        unit = Requantizer(scheme=scheme, overflow=CodeOverflow.SATURATE)
    assert [
        module.requantize_one(v, constants.multiplier[1], constants.shift[1], unit, 3, -8, 7) for v in (99, -99)
    ] == [7, -8]


def test_an_unknown_scheme_names_the_close_one():
    with pytest.raises(HwsimError, match="requantizer: scheme 'fixedpoint' is unknown; did you mean 'fixed_point'"):
        definition("fixedpoint")
    with pytest.raises(HwsimError, match="scheme '_constants' is unknown"):
        definition("_constants")


@given(real=scales, bits=st.integers(2, 32))
def test_fixed_point_multiplier_is_normalized_and_nearest(real, bits):
    made = fixed_point.constants(np.array([real]), Requantizer(multiplier_bits=bits))
    multiplier, shift = int(made.multiplier[0]), int(made.shift[0])
    assert made.multiplier.dtype == made.shift.dtype == np.int64
    assert 1 << (bits - 2) <= abs(multiplier) < 1 << (bits - 1)
    step = Fraction(2) ** -shift
    assert abs(multiplier * step - Fraction(real)) <= step / 2


@pytest.mark.parametrize("bits", [2, 8, 31, 32])
def test_a_magnitude_that_rounds_up_to_the_top_is_carried(bits):
    made = fixed_point.constants(
        np.array([np.nextafter(1.0, 0), -np.nextafter(4.0, 0)]), Requantizer(multiplier_bits=bits)
    )
    assert made.multiplier.tolist() == [1 << (bits - 2), -(1 << (bits - 2))]
    assert made.shift.tolist() == [bits - 2, bits - 4]


def test_fixed_point_matches_gemmlowp_on_known_scales():
    """0.5 is (2^30, shift 0) and 0.25 one more to the right in TensorFlow Lite's QuantizeMultiplier."""
    made = fixed_point.constants(np.array([0.5, 0.25, 1.0]), Requantizer())
    assert made.multiplier.tolist() == [1 << 30] * 3
    assert (31 - made.shift).tolist() == [0, -1, 1]


@pytest.mark.parametrize("scheme", names())
@pytest.mark.parametrize("real", [0.0, np.inf, np.nan])
def test_scales_that_are_none(scheme, real):
    with pytest.raises(HwsimError, match=r"must be finite and not zero, not .* \(channel 1\)"):
        definition(scheme).constants(np.array([1.0, real]), Requantizer())


def test_power_of_two_names_the_nearest_and_the_way_out():
    message = r"channel 1 has 0\.3, \+20 % from the nearest, 2\^-2; quantize with power-of-two scales"
    with pytest.raises(HwsimError, match=message):
        power_of_two.constants(np.array([0.5, 0.3]), Requantizer())
    with pytest.raises(HwsimError, match=r"cannot negate, but channel 0 has the scale -0\.5"):
        power_of_two.constants(np.array([-0.5]), Requantizer())
    with pytest.raises(HwsimError, match=r"more than 2\^62 apart"):
        power_of_two.sum_constants(np.array([1.0, 2.0**-63]), Requantizer())


@given(exponent=st.integers(-60, 30), value=st.integers(-(2**40), 2**40), rounding=st.sampled_from(list(Rounding)))
def test_power_of_two_is_exact_division(exponent, value, rounding):
    unit = Requantizer(scheme="power_of_two", rounding=rounding)
    made = power_of_two.constants(np.array([2.0**exponent]), unit)
    got = power_of_two.requantize_one(value, made.multiplier[0], made.shift[0], unit, 0, -(1 << 90), 1 << 90)
    exact = Fraction(value) * Fraction(2) ** exponent
    assert abs(got - exact) < 1
    if rounding is Rounding.HALF_EVEN:
        assert got == round(exact)


@given(value=st.integers(-(2**70), 2**70) | st.integers(-(2**25), 2**25))
def test_float32_of_rounds_once(value):
    """Nearest of the neighbours by exact comparison; the even one on a tie."""
    got = float32.float32_of(value)
    near = [np.nextafter(got, np.float32(side)) for side in (-np.inf, np.inf)]
    distance = abs(int(got) - value)
    for other in near:
        assert distance <= abs(int(other) - value)
        if distance == abs(int(other) - value):
            assert got.view(np.uint32) % 2 == 0
    if abs(value) < 2**63:
        assert got == np.array([value], np.int64).astype(np.float32)[0]


def test_float32_scale_is_rounded_twice_as_in_onnx_runtime():
    x, w, y = np.float32(0.1), np.float32([0.3, 0.7]), np.float32(0.013)
    assert float32.real_scale(x, w, y).tolist() == [float(np.float32(x * c) / y) for c in w]
    with pytest.raises(HwsimError, match="beyond float32"):
        float32.constants(np.array([1e39]), Requantizer())


@given(ratios=st.lists(st.floats(0.001, 100.0) | st.floats(-100.0, -0.001), min_size=1, max_size=4))
def test_sum_multipliers_share_one_shift(ratios):
    made = fixed_point.sum_constants(np.array(ratios), Requantizer(multiplier_bits=24))
    assert 1 << 22 <= max(abs(int(m)) for m in made.multiplier) < 1 << 23
    step = Fraction(2) ** -made.shift
    for ratio, multiplier in zip(ratios, made.multiplier.tolist(), strict=True):
        assert abs(multiplier * step - Fraction(ratio)) <= step / 2


def test_a_ratio_that_would_vanish_is_refused():
    with pytest.raises(HwsimError, match="do not fit multipliers of 4 bits on one shift"):
        fixed_point.sum_constants(np.array([1.0, 0.01]), Requantizer(multiplier_bits=4))


def test_power_of_two_sum_aligns_exactly():
    """x/4 + y: one rounding of (x + 4 y) / 4."""
    unit = Requantizer(scheme="power_of_two", rounding=Rounding.HALF_AWAY)
    made = power_of_two.sum_constants(np.array([0.25, 1.0]), unit)
    for x in range(-8, 8):
        for y in range(-8, 8):
            exact = Fraction(x, 4) + y
            expected = int(abs(exact) + Fraction(1, 2)) * (1 if exact > 0 else -1)
            assert power_of_two.rescale_sum_one([x, y], made, unit, 0, -99, 99) == expected


def test_float32_sum_of_opposite_infinities_is_refused():
    made = float32.sum_constants(np.array([3e38, -3e38]), Requantizer())
    with pytest.raises(HwsimError, match="infinity minus infinity"):
        float32.rescale_sum_one([100, 100], made, Requantizer(), 0, -128, 127)
    assert float32.rescale_sum_one([100, 0], made, Requantizer(), 0, -128, 127) == 127
