"""Both kinds of rounding against exact rationals, and the names of QONNX."""

from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import HwsimError
from hwsim.numerics.qonnx import ROUNDINGS, name_of, rounding_of
from hwsim.numerics.rounding import Rounding, round_real, rounding_shift


def by_definition(exact, rounding):
    """The names in words."""
    low, high = floor(exact), ceil(exact)
    inner, outer = (low, high) if exact >= 0 else (high, low)
    directed = {Rounding.FLOOR: low, Rounding.CEIL: high, Rounding.TO_ZERO: inner, Rounding.AWAY: outer}
    if rounding in directed:
        return directed[rounding]
    if exact - low != high - exact:
        return low if exact - low < high - exact else high
    ties = {
        Rounding.HALF_UP: high,
        Rounding.HALF_DOWN: low,
        Rounding.HALF_AWAY: outer,
        Rounding.HALF_TO_ZERO: inner,
        Rounding.HALF_EVEN: low if low % 2 == 0 else high,
    }
    return ties[rounding]


@pytest.mark.parametrize("rounding", list(Rounding))
@given(value=st.integers(-(2**70), 2**70) | st.integers(-40, 40), shift=st.integers(-5, 80) | st.integers(0, 4))
def test_of_a_shift(value, shift, rounding):
    assert rounding_shift(value, shift, rounding) == by_definition(Fraction(value) / Fraction(2) ** shift, rounding)


@pytest.mark.parametrize("rounding", list(Rounding))
@given(x=st.floats(allow_nan=False, allow_infinity=False) | st.integers(-50, 50).map(lambda n: n / 4))
def test_of_a_real_number(x, rounding):
    assert int(round_real(np.array([x]), rounding)[0]) == by_definition(Fraction(x), rounding)
    narrow = np.float32(np.clip(x, -1e38, 1e38))
    got = round_real(np.array([narrow]), rounding)
    assert got.dtype == np.float32
    assert int(got[0]) == by_definition(Fraction(float(narrow)), rounding)


@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_numbers_beside_a_half(rounding, dtype):
    halves = np.arange(-9, 10).astype(dtype) / dtype(2)
    x = np.concatenate([halves, np.nextafter(halves, dtype(np.inf)), np.nextafter(halves, dtype(-np.inf))])
    got = round_real(x, rounding)
    assert got.dtype == dtype
    assert [int(v) for v in got] == [by_definition(Fraction(float(v)), rounding) for v in x]


@pytest.mark.parametrize("rounding", list(Rounding))
def test_what_is_no_number_stays(rounding):
    assert np.array_equal(
        round_real(np.array([np.inf, -np.inf, np.nan]), rounding), [np.inf, -np.inf, np.nan], equal_nan=True
    )


def test_names_of_qonnx():
    assert {name: rounding_of(name.lower()) for name in ROUNDINGS} == dict(ROUNDINGS)
    for rounding in set(ROUNDINGS.values()):
        assert rounding_of(name_of(rounding)) is rounding
    with pytest.raises(HwsimError, match="rounding_mode 'HALFUP' is unknown; did you mean 'HALF_UP'"):
        rounding_of("HALFUP")
    with pytest.raises(HwsimError, match="no rounding_mode rounds as half_up; use one of away, ceil"):
        name_of(Rounding.HALF_UP)
