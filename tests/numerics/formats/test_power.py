"""Grids of powers: what codes decode to, and between which numbers they stand."""

from fractions import Fraction
from math import isqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import HwsimError
from hwsim.numerics.formats import IntFormat, parse_format, power_exponent
from hwsim.numerics.formats.power import exponent_of
from hwsim.numerics.rounding import Rounding, round_real

CODES = st.integers(2, 8)


@pytest.mark.parametrize("bits", range(2, 9))
def test_exponent_one_is_the_narrow_integer_grid(bits):
    """Every number, ties included, gets the same integer."""
    book, narrow = power_exponent(bits, 1), IntFormat(bits=bits, narrow=True)
    assert (book.bits, book.operand_range, book.unit) == (bits, narrow.operand_range, 1)
    x = np.arange(-4 * narrow.levels, 4 * narrow.levels + 1) / 4
    np.testing.assert_array_equal(book.operands(book.encode_real(x)), narrow.encode_real(x))


@pytest.mark.parametrize("bits", range(2, 10))
def test_exponent_one_half_squares_exactly(bits):
    book = power_exponent(bits, 0.5)
    most = (1 << (bits - 1)) - 1
    assert [int(value) for value in book.values] == [q * abs(q) for q in range(-most, most + 1)]
    assert book.operand_range == (-(most**2), most**2)
    assert all(isqrt(abs(int(v))) ** 2 == abs(v) for v in book.values)
    assert book.operands(book.encode_real([most**2, -(most**2)])).tolist() == [most**2, -(most**2)]


@given(bits=CODES, exponent=st.sampled_from([0.5, 0.7, 0.9, 1.0, 1.3]), x=st.floats(-1.1, 1.1))
def test_numbers_are_rounded_among_the_powers(bits, exponent, x):
    """``q = round(Q sign(x) |x|^a)``, halves to even, but for a neighbour where float64 is in doubt."""
    book = power_exponent(bits, exponent, 16)
    most = (1 << (bits - 1)) - 1
    place = np.sign(x) * min(abs(x) ** exponent, 1) * most
    code = int(book.encode_real(np.array(x * float(max(book.values))))) - most
    if abs(abs(place - np.floor(place)) - 0.5) > 1e-9:
        assert code == round_real(np.array([place]), Rounding.HALF_EVEN)[0]


@given(bits=st.integers(2, 5), exponent=st.sampled_from([0.5, 0.6, 0.8, 1.2]), x=st.floats(-130, 130))
def test_nearest_takes_the_value_that_is_next(bits, exponent, x):
    book = power_exponent(bits, exponent, 10, nearest=True)
    got = book.values[int(book.encode_real(np.array(x)))]
    assert abs(got - Fraction(x)) == min(abs(value - Fraction(x)) for value in book.values)


@given(bits=st.integers(2, 5), exponent=st.floats(0.5, 2.0), decode_bits=st.integers(11, 16))
def test_the_table_is_the_power_rounded_once(bits, exponent, decode_bits):
    book = power_exponent(bits, exponent, decode_bits)
    most, full = (1 << (bits - 1)) - 1, (1 << (decode_bits - 1)) - 1
    taken = float(f"{exponent:g}")
    for q, value in zip(range(-most, most + 1), book.values, strict=True):
        assert abs(abs(value) - full * (abs(q) / most) ** (1 / taken)) <= 0.5 + 1e-9
        assert (value > 0) == (q > 0)
    assert max(book.values) == full
    assert parse_format(str(book)) == book


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("power4:1", "power4:1"),
        ("power4:0.5", "power4:0.5"),
        ("power4:0.50", "power4:0.5"),
        ("power4:0.7", "power4:0.7@8"),
        ("power4:0.5@8", "power4:0.5@8"),
        ("power4:0.7@9:nearest", "power4:0.7@9:nearest"),
    ],
)
def test_one_text_for_every_grid(text, said):
    assert str(parse_format(text)) == said
    assert parse_format(said) == parse_format(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "power8:0.5@8",
            "codes 0 and 1 of power8:0.5@8 both decode to 0; decode to more bits than 8, as power8:0.5@16",
        ),
        ("power4:0.2", "codes 0 and 1 of power4:0.2@8 both decode to 0"),
        ("power4:9", "an exponent above 0 up to 8, not 4 and 9"),
        ("power4:0.7@3", "a power-exponent grid of 4 bits decodes to 4 to 32 bits, not 3"),
        ("power4", "is learned on the numbers of each layer"),
        ("codebook9", "is not one"),
    ],
)
def test_texts_that_name_no_grid(text, message):
    with pytest.raises(HwsimError, match=message):
        parse_format(text)


def test_the_exponent_is_told():
    assert exponent_of(power_exponent(4, 0.5, nearest=True)) == 0.5
    assert exponent_of(power_exponent(3, 0.83, 9)) == 0.83
    with pytest.raises(HwsimError, match="pot4 is no grid of powers"):
        exponent_of(parse_format("pot4"))
