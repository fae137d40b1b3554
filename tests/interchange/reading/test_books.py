"""A table of values alone tells which format it is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import HwsimError
from hwsim.interchange.reading.books import format_of_table
from hwsim.numerics.formats import Codebook, parse_format, power_exponent


def table_of(number):
    count = len(number.values) if isinstance(number, Codebook) else 1 << number.bits
    return number.decode(np.arange(count)).astype(np.float32)


@pytest.mark.parametrize(
    "text",
    [
        "bipolar", "ternary", *(f"pot{bits}" for bits in range(3, 9)), "power3:0.5", "power4:0.5", "power8:0.5", "power5:1",
        "power4:0.82@8", "power4:0.7@8", "power6:1.2@12", "fp3e1m1", "fp4e2m1", "fp5e2m2", "fp6e2m3", "fp6e3m2", "fp7e3m3",
        "fp8e4m3fn", "fp8e5m2", "fp8e3m4",
    ],
)  # fmt: skip
def test_named_formats(text):
    assert format_of_table(table_of(parse_format(text))) == parse_format(text)


@given(bits=st.integers(3, 8), hundredths=st.integers(20, 140), decode_bits=st.integers(6, 16))
def test_every_exponent_gives_the_same_values(bits, hundredths, decode_bits):
    try:
        book = power_exponent(bits, hundredths / 100, decode_bits)
    except HwsimError:
        return
    found = format_of_table(table_of(book))
    assert isinstance(found, Codebook)
    assert found.values == book.values
    assert str(found).startswith(f"power{bits}:")


@given(st.lists(st.integers(-2000, 2000), min_size=2, max_size=40, unique=True))
def test_tables_of_integers_keep_values_and_order(values):
    found = format_of_table(np.array(values, np.float32))
    assert isinstance(found, Codebook)
    assert [int(value) for value in found.values] == values
    assert found.bits == (len(values) - 1).bit_length()


@pytest.mark.parametrize(
    "values", [[1.0], [0.0, 1.0, 1.0], [0.0, -0.0], [0.0, np.inf], [np.nan, 1.0], [0.0, -0.0, 1.0, 3.0]]
)
def test_what_is_no_table(values):
    assert format_of_table(np.array(values, np.float32)) is None


def test_a_table_of_fractions_has_the_width_of_its_places():
    found = format_of_table(np.array([0.1, 0.2, 0.4], np.float32))
    assert str(found) == "table2"
    np.testing.assert_array_equal(table_of(found), np.array([0.1, 0.2, 0.4], np.float32))
