"""Overflow of output registers: the vendor's examples, and properties on every small value."""

import pytest

from hwsim.numerics.code_overflow import CodeOverflow, reduce_code, register

INT4, UINT4 = (-8, 7), (0, 15)


@pytest.mark.parametrize(
    ("overflow", "ends", "value", "code"),
    [
        (CodeOverflow.SATURATE, INT4, 19, 7),
        (CodeOverflow.SATURATE, INT4, -19, -8),
        (CodeOverflow.SATURATE, UINT4, -19, 0),
        (CodeOverflow.SATURATE_ZERO, INT4, 19, 0),
        (CodeOverflow.SATURATE_SYMMETRIC, INT4, 19, 7),
        (CodeOverflow.SATURATE_SYMMETRIC, INT4, -19, -7),
        (CodeOverflow.SATURATE_SYMMETRIC, UINT4, -19, 0),
        (CodeOverflow.WRAP, INT4, 31, -1),
        (CodeOverflow.WRAP, INT4, -19, -3),
        (CodeOverflow.WRAP, UINT4, 19, 3),
        (CodeOverflow.WRAP, UINT4, -19, 13),
        (CodeOverflow.WRAP_SIGN_MAGNITUDE, INT4, 19, -4),
        (CodeOverflow.WRAP_SIGN_MAGNITUDE, INT4, -19, 2),
    ],
)
def test_examples_of_the_vendor(overflow, ends, value, code):
    """AMD UG1399, "Overflow modes": ap_fixed<4,4> and ap_ufixed<4,4>."""
    assert reduce_code(value, *ends, overflow) == code


@pytest.mark.parametrize("overflow", list(CodeOverflow))
@pytest.mark.parametrize("ends", [INT4, UINT4, (-7, 7), (-8, 3), (0, 1), (-1, 0), (3, 9)])
@pytest.mark.parametrize("saturated_bits", range(6))
def test_every_value_becomes_a_code_and_codes_stay(overflow, ends, saturated_bits):
    low, high = ends
    for value in range(-200, 200):
        code = reduce_code(value, low, high, overflow, saturated_bits)
        assert low <= code <= high
        symmetric = overflow is CodeOverflow.SATURATE_SYMMETRIC and value < -high
        if low <= value <= high and not symmetric:
            assert code == value


@pytest.mark.parametrize("saturated_bits", range(1, 5))
@pytest.mark.parametrize("overflow", [CodeOverflow.WRAP, CodeOverflow.WRAP_SIGN_MAGNITUDE])
def test_saturated_bits_keep_the_sign(overflow, saturated_bits):
    """The N - 1 bits below the sign are ones for a positive and zeros for a negative result."""
    for value in (*range(-300, -8), *range(8, 300)):
        code = reduce_code(value, *INT4, overflow, saturated_bits)
        assert (code < 0) == (value < 0)
        upper = (code & 7) >> (4 - saturated_bits)
        assert upper == (0 if value < 0 else (1 << saturated_bits - 1) - 1)
        if overflow is CodeOverflow.WRAP:
            kept = (1 << (4 - saturated_bits)) - 1
            assert code & kept == value & kept


def test_unsigned_registers_set_their_highest_bits():
    for value in (*range(-99, 0), *range(16, 99)):
        assert reduce_code(value, *UINT4, CodeOverflow.WRAP, 2) == 12 | value & 3


def test_the_dropped_bit_is_read_before_rounding():
    """511.75 rounds to 512; the bit above eight is that of 511."""
    assert reduce_code(512, -128, 127, CodeOverflow.WRAP_SIGN_MAGNITUDE, 0, truncated=511) == -1
    assert reduce_code(512, -128, 127, CodeOverflow.WRAP_SIGN_MAGNITUDE, 0) == 0


def test_registers():
    assert [register(*ends) for ends in ((-8, 3), (-1, 0), (0, 1), (0, 9), (3, 9))] == [
        (-8, 7), (-1, 0), (0, 1), (0, 15), (0, 15),
    ]  # fmt: skip
