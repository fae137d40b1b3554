"""Multipliers by their text forms, their tables, and the laws that published ones keep."""

from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import HwsimError
from hwsim.numerics.approximate import mitchell, truncated
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.multiplier import Multiplier

INT4, UINT4, INT8, INT8N = (IntFormat.parse(text) for text in ("int4", "uint4", "int8", "int8n"))
wide = st.integers(-(2**40), 2**40)


def offset(x, w):
    """Zero times zero is not zero."""
    return x * w + 3


def not_an_integer(x, w):
    return x * w / 2


def test_text_forms(tmp_path):
    np.save(tmp_path / "products.npy", np.arange(256).reshape(16, 16))
    for text in ("exact", "truncated:4", "mitchell", "operator:mul", "products.npy"):
        assert str(Multiplier.parse(text, tmp_path)) == text
    assert Multiplier.parse("exact").is_exact
    assert not Multiplier.parse("operator:mul").is_exact
    assert Multiplier.parse(str(tmp_path / "products.npy")).entries is not None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("exakt", "is unknown; did you mean 'exact'"),
        ("truncated", "needs the columns it drops, 0..32, as in truncated:4, not ''"),
        ("truncated:-1", "not '-1'"),
        ("truncated:33", "not '33'"),
        ("mitchell:2", "mitchell has no parameter, not '2'"),
        ("no_such_module:f", "module 'no_such_module' cannot be imported"),
        ("operator:mull", "has no function 'mull'; did you mean 'mul'"),
        ("math:pi", "must be a function of two integers, not 3.14"),
        ("gone.npy", "cannot be read as a .npy file"),
        ("flat.npy", r"must hold integers \[2\^activation bits, 2\^weight bits\], not int64 \[256\]"),
        ("odd.npy", r"not int64 \[16, 15\]"),
        ("real.npy", r"not float64 \[16, 16\]"),
        ("huge.npy", "a product must fit 64 bits"),
    ],
)
def test_errors_name_the_rule(text, message, tmp_path):
    np.save(tmp_path / "flat.npy", np.arange(256))
    np.save(tmp_path / "odd.npy", np.zeros((16, 15), np.int64))
    np.save(tmp_path / "real.npy", np.zeros((16, 16)))
    np.save(tmp_path / "huge.npy", np.full((2, 2), 2**63, np.uint64))
    with pytest.raises(HwsimError, match=message):
        Multiplier.parse(text, tmp_path)


@pytest.mark.parametrize("pair", [(INT4, INT4), (UINT4, INT4), (UINT4, UINT4), (INT8N, INT4)])
@pytest.mark.parametrize("text", ["mitchell", "truncated:3", "operator:sub"])
def test_the_table_holds_the_definition(pair, text):
    multiplier = Multiplier.parse(text)
    table = multiplier.table(*pair)
    assert table.shape == (pair[0].levels, pair[1].levels)
    for i, x in enumerate(range(pair[0].minimum, pair[0].maximum + 1)):
        for j, w in enumerate(range(pair[1].minimum, pair[1].maximum + 1)):
            assert table[i, j] == multiplier.product(x, w, *pair) == multiplier.function(x, w)


@pytest.mark.parametrize("pair", [(INT4, INT4), (UINT4, INT4), (INT8N, UINT4), (INT8, INT8)])
def test_a_table_of_the_user_may_be_wider_than_the_codes(pair):
    entries = np.random.default_rng(0).integers(-999, 999, (256, 256))
    multiplier = Multiplier(text="mine", entries=entries)
    bases = [-128 if number.signed else 0 for number in pair]
    table = multiplier.table(*pair)
    for i, x in enumerate(range(pair[0].minimum, pair[0].maximum + 1)):
        for j, w in enumerate(range(pair[1].minimum, pair[1].maximum + 1)):
            assert table[i, j] == multiplier.product(x, w, *pair) == entries[x - bases[0], w - bases[1]]


def test_codes_that_leave_the_table_are_refused():
    multiplier = Multiplier(text="mine", entries=np.zeros((16, 256), np.int64))
    assert multiplier.table(INT4, INT8).shape == (16, 256)
    with pytest.raises(HwsimError, match="activations of int8 need 256 entries, but the table is 16 x 256"):
        multiplier.table(INT8, INT8)
    with pytest.raises(HwsimError, match="weights of int16 need 65536 entries"):
        multiplier.product(0, 0, INT4, IntFormat(bits=16))


def test_a_function_is_tabulated_while_it_is_narrow():
    assert Multiplier.parse("operator:mul").table(IntFormat(bits=12), IntFormat(bits=11)) is None
    with pytest.raises(HwsimError, match=r"returns 16\.0 for \(-8, -4\); it must return an integer"):
        Multiplier(text="mine", function=not_an_integer).product(-8, -4, INT4, INT4)
    with pytest.raises(HwsimError, match="a product must fit 64 bits"):
        Multiplier(text="mine", function=lambda x, w: 1 << 63).product(1, 1, INT4, INT4)


@given(x=wide, w=wide)
def test_mitchell_is_the_sum_of_straight_lines(x, w):
    got = mitchell(x, w)
    assert got == mitchell(w, x) == -mitchell(-x, w)
    assert 8 * abs(x * w) <= 9 * abs(got) <= 9 * abs(x * w)
    if x and w:
        line = sum(abs(v).bit_length() - 1 + abs(v) / 2 ** (abs(v).bit_length() - 1) - 1 for v in (x, w))
        assert log2(abs(got)) <= log2(abs(x * w)) + 1e-12
        whole = int(line)
        assert abs(got) == pytest.approx(2**whole * (1 + line - whole), rel=1e-6)


@given(x=wide, w=wide, bits=st.integers(0, 12))
def test_truncation_drops_the_low_columns(x, w, bits):
    got = truncated(bits)(x, w)
    rows = [abs(w) << i for i in range(abs(x).bit_length()) if abs(x) >> i & 1]
    assert abs(got) == sum(row - row % 2**bits for row in rows)
    assert got == 0 or (got < 0) == (x * w < 0)
    assert 0 <= abs(x * w) - abs(got) < len(rows) * 2**bits + 1
    assert truncated(0)(x, w) == x * w
