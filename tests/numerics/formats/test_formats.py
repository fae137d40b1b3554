"""Every kind of format against exact rationals: nearest values, ties, ends, operands and text."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hwsim.errors import HwsimError
from hwsim.numerics.formats import (
    BIPOLAR,
    TERNARY,
    Codebook,
    FixedFormat,
    FloatFormat,
    IntFormat,
    Specials,
    operand_format,
    parse_format,
    powers_of_two,
)
from hwsim.numerics.formats.parse import EXAMPLES
from hwsim.numerics.rounding import Rounding, rounding_shift

roundings = st.sampled_from(list(Rounding))
finite = st.floats(-1e4, 1e4) | st.floats(-2, 2) | st.integers(-64, 64).map(lambda n: n / 8)
small_floats = st.builds(
    FloatFormat,
    exponent_bits=st.integers(1, 5),
    mantissa_bits=st.integers(1, 4),
    bias=st.none() | st.integers(-3, 9),
    specials=st.sampled_from(list(Specials)),
    subnormals=st.booleans(),
)
SMALL = [
    "int4",
    "uint3",
    "int5n",
    "uint4n",
    "fixed<6,2>",
    "ufixed<5,7>",
    "fp6e2m3",
    "fp4e2m1",
    "fp8e4m3fn",
    "fp8e5m2fnuz",
]
TABLES = ["ternary", "pot4", "bipolar", "power4:0.5", "power4:0.7@8", "power3:0.4@12:nearest"]


def codes_of(number):
    """All codes that stand for numbers."""
    if isinstance(number, Codebook):
        return np.arange(len(number.values))
    if isinstance(number, FloatFormat):
        codes = np.arange(1 << number.bits)
        return codes[np.isfinite(number.decode(codes))]
    return np.arange(number.operand_range[0], number.operand_range[1] + 1)


def nearest(values, x, rounding):
    """The value of an ascending list that ``x`` (inside its ends) rounds to; the list's step counts as even or odd."""
    if x in values:
        return x
    place = max(i for i, value in enumerate(values) if value < x)
    low, high = values[place], values[place + 1]
    share = (x - low) / (high - low)
    quarter = {True: 1, False: 3}[share < Fraction(1, 2)] if share != Fraction(1, 2) else 2
    floor = place - sum(value < 0 for value in values)  # 0 is even; below it the floor is negative
    return high if rounding_shift(4 * floor + quarter, 2, rounding) > floor else low


@pytest.mark.parametrize("text", SMALL)
@given(x=finite, rounding=roundings)
def test_encoding_is_the_nearest_value(text, x, rounding):
    number = parse_format(text)
    values = sorted({Fraction(value) for value in number.decode(codes_of(number)).tolist()})
    code = number.encode_real(np.array(x), rounding=rounding)
    assert code.dtype == number.storage_dtype
    assert code.shape == ()
    expected = nearest(values, min(max(Fraction(x), values[0]), values[-1]), rounding)
    assert Fraction(float(number.decode(code))) == expected


@given(number=small_floats, x=finite | st.floats(allow_nan=False), rounding=roundings)
def test_any_float_is_a_table_of_its_values(number, x, rounding):
    """A codebook of the same values, made by exact comparisons, encodes to the same value."""
    values = sorted({Fraction(value) for value in number.decode(codes_of(number)).tolist()})
    assume(len(values) > 1)
    table = Codebook(name="twin", values=tuple(values))
    assume(rounding is not Rounding.HALF_EVEN)  # the even mantissa there, the even place here
    got = float(number.decode(number.encode_real(np.array(x), rounding=rounding)))
    assert got == float(table.decode(table.encode_real(np.array(x), rounding=rounding)))


@given(number=small_floats)
def test_largest_and_operands(number):
    codes = codes_of(number)
    values = number.decode(codes)
    assert number.maximum == values.max()
    operands = number.operands(codes)
    assert all(Fraction(int(n)) * number.unit == Fraction(v) for n, v in zip(operands, values.tolist(), strict=True))
    assert (operands.min(), operands.max()) == number.operand_range
    assert FloatFormat.parse(str(number)) == number
    assert number.encode_real(values).astype(np.int64)[values != 0].tolist() == codes[values != 0].tolist()


@pytest.mark.parametrize("text", [*SMALL, *TABLES, "fp16", "int8", "uint8"])
def test_operands_times_unit_are_the_values(text):
    number = parse_format(text)
    codes = codes_of(number)
    operands, values = number.operands(codes), number.decode(codes)
    assert operands.dtype == np.int64
    assert [float(int(n) * number.unit) for n in operands] == values.tolist()
    assert (int(operands.min()), int(operands.max())) == number.operand_range
    held = operand_format(number)
    assert held.contains(number.operand_range[0])
    assert held.contains(number.operand_range[1])


@pytest.mark.parametrize("text", ["bf16", "fp32", "e8m0"])
def test_operands_that_64_bits_do_not_hold(text):
    with pytest.raises(HwsimError, match=f"at most 63 bits and a sign, but {text} spans"):
        parse_format(text).operands(np.zeros(1, np.uint8))


def test_operands_of_infinity():
    with pytest.raises(HwsimError, match="1 codes of fp8e5m2 are infinity or NaN"):
        parse_format("fp8e5m2").operands(np.array([0x7C, 0x3C]))


@given(x=finite, rounding=roundings, bits=st.integers(1, 64), signed=st.booleans(), point=st.integers(-3, 70))
def test_fixed_point_wraps_and_saturates_exactly(x, rounding, bits, signed, point):
    number = FixedFormat(width=bits, integer_bits=point, signed=signed)
    numerator, denominator = x.as_integer_ratio()
    if number.fraction_bits >= 0:
        numerator <<= number.fraction_bits
    else:
        denominator <<= -number.fraction_bits
    whole = rounding_shift(numerator, denominator.bit_length() - 1, rounding)
    low, high = number.operand_range
    code = number.encode_real(np.array([x]), rounding=rounding)
    assert code.tolist() == [min(max(whole, low), high)]
    assert number.encode_real(np.array([x]), rounding=rounding, saturate=False).tolist() == [
        (whole - low) % (1 << bits) + low
    ]


@given(
    values=st.lists(st.fractions(-9, 9, max_denominator=12), min_size=2, max_size=9, unique=True),
    x=st.floats(-12, 12) | st.integers(-144, 144).map(lambda n: n / 24),
    rounding=roundings,
)
def test_tables(values, x, rounding):
    """Nearest by exact comparison; ties and directions by the side they name."""
    table = Codebook(name="t", values=tuple(values))
    got, exact = values[int(table.encode_real(np.array(x), rounding=rounding))], Fraction(x)
    if rounding is Rounding.FLOOR:
        assert got == max([v for v in values if v <= exact], default=min(values))
    elif rounding is Rounding.CEIL:
        assert got == min([v for v in values if v >= exact], default=max(values))
    elif rounding in (Rounding.TO_ZERO, Rounding.AWAY):
        below = max([v for v in values if v <= exact], default=min(values))
        above = min([v for v in values if v >= exact], default=max(values))
        if below >= 0 or above <= 0:  # with zero between them no side is meant
            inner, outer = sorted((below, above), key=abs)
            assert got == (inner if rounding is Rounding.TO_ZERO else outer)
    elif "half" in rounding:
        distance = min(abs(v - exact) for v in values)
        near = sorted(v for v in values if abs(v - exact) == distance)
        assert got in near
        if rounding is Rounding.HALF_UP:
            assert got == near[-1]
        if rounding is Rounding.HALF_TO_ZERO and exact != 0:
            assert abs(got) == min(abs(v) for v in near)


def test_bipolar_and_ternary():
    assert BIPOLAR.decode(BIPOLAR.encode_real(np.array([-0.1, -0.0, 0.0, 3]))).tolist() == [-1, 1, 1, 1]
    assert TERNARY.decode(TERNARY.encode_real(np.array([-0.6, 0.5, 0.51]))).tolist() == [-1, 0, 1]
    assert [(book.bits, book.operand_range, book.unit) for book in (BIPOLAR, TERNARY)] == [
        (1, (-1, 1), 1),
        (2, (-1, 1), 1),
    ]


def test_powers_of_two_are_shifts():
    for bits in range(2, 10):
        book = powers_of_two(bits)
        operands = [abs(n) for n in (int(v / book.unit) for v in book.values) if n]
        assert all(n & (n - 1) == 0 for n in operands)
        assert len(book.values) == (1 << bits) - 1
        assert max(book.values) == 1
    with pytest.raises(HwsimError, match="have at most 63 bits"):
        powers_of_two(9).operands(np.zeros(1, int))


@pytest.mark.parametrize(
    "text",
    [
        *EXAMPLES,
        "fp8e4m3",
        "fp8e4m3b11fnuz",
        "fp19e8m10",
        "fp5e2m2fn",
        "fp8e4m3fn:flush:max416.0",
        "fp8e3m4finite",
        "ufixed<8,-2>",
        "uint8n",
    ],
)
def test_text_is_read_back(text):
    assert str(parse_format(text)) == text
    assert parse_format(str(parse_format(text))) == parse_format(text)
    assert hash(parse_format(text)) == hash(parse_format(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("flot8", "is not one"),
        ("ternery", "did you mean 'ternary'"),
        ("fp8e4m4", "add up to the width"),
        ("int65", "bits must be 1..64"),
        ("uint1n", "holds the single value 0"),
        ("fixed<0,1>", "write for example fixed"),
        ("power4:9", "an exponent above 0 up to 8"),
        ("fp8e7m0", "leave no room for ieee specials"),
    ],
)
def test_texts_that_name_nothing(text, message):
    with pytest.raises(HwsimError, match=message):
        parse_format(text)


def test_records_that_cannot_be():
    with pytest.raises(
        HwsimError, match=r"largest must be a positive value of the format, not 5.1; the next one is 5.0"
    ):
        FloatFormat(exponent_bits=3, mantissa_bits=2, largest=5.1)
    with pytest.raises(HwsimError, match="without a sign there are only scales"):
        FloatFormat(exponent_bits=4, mantissa_bits=2, signed=False)
    with pytest.raises(HwsimError, match="two or more different values"):
        Codebook(name="twice", values=(Fraction(1), Fraction(1)))
    with pytest.raises(HwsimError, match="3 values need 2 ascending thresholds"):
        Codebook(name="edges", values=(Fraction(1), Fraction(2), Fraction(3)), thresholds=(2.0, 1.0))
    with pytest.raises(HwsimError, match="NaN has no nearest value"):
        TERNARY.encode_real(np.array([np.nan]))
    with pytest.raises(HwsimError, match="infinity and NaN cannot wrap into 4 bits"):
        IntFormat(bits=4).encode_real(np.array([np.inf]), saturate=False)
    with pytest.raises(HwsimError, match="int4n leaves a code out"):
        IntFormat(bits=4, narrow=True).encode_real(np.array([1.0]), saturate=False)


def test_a_smaller_largest_value():
    """QONNX's max_val: e4m3 that ends at 416 saturates there."""
    number = FloatFormat(exponent_bits=4, mantissa_bits=3, specials=Specials.FN, largest=416.0)
    assert number.decode(number.encode_real(np.array([440.0, -1e9, 400.0]))).tolist() == [416.0, -416.0, 384.0]
    assert np.isnan(number.decode(number.encode_real(np.array([440.0]), saturate=False))).all()


@pytest.mark.parametrize(("text", "end"), [("fp8e5m2", 57344.0), ("fp8e4m3fn", 448.0)])
def test_rounding_inwards_does_not_leave_the_format(text, end):
    number = parse_format(text)
    for rounding, kept in (
        (Rounding.TO_ZERO, [end, -end]),
        (Rounding.FLOOR, [end, None]),
        (Rounding.CEIL, [None, -end]),
        (Rounding.AWAY, [None, None]),
    ):
        values = number.decode(number.encode_real(np.array([1e9, -1e9]), rounding=rounding, saturate=False))
        assert [v if np.isfinite(v) else None for v in values.tolist()] == kept
    assert not np.isfinite(
        number.decode(number.encode_real(np.array([np.inf]), rounding=Rounding.FLOOR, saturate=False))
    )
