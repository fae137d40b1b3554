"""Float32 definitions on rational numbers against numpy's conversions and exact identities."""

from fractions import Fraction

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from hwsim.numerics.vector._float32 import fma_one, nearest_float32

FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=64)
SINGLES = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(FLOATS)
@example(2.0**-149)
@example(2.0**-150)
@example(2.0**-150 * 1.5)
@example(2.0**-150 * (1 + 2.0**-10))
@example(3.4028235677973366e38)
@example(3.4028235677973362e38)
@example(-(2.0**24) - 1)
@example(0.0)
def test_nearest_is_the_conversion_of_a_double(value):
    with np.errstate(over="ignore"):
        assert nearest_float32(Fraction(value)) == np.float32(value)


@given(SINGLES, SINGLES)
def test_fma_without_an_addend_is_a_product(a, b):
    """The float64 product of two float32 is exact where it does not underflow, so one conversion rounds it."""
    product = float(a) * float(b)
    if product == 0 or abs(product) > 2.0**-900:
        with np.errstate(over="ignore"):
            assert fma_one(a, b, 0.0) == np.float32(product)


def test_fma_rounds_once():
    """A sum in float64 and a conversion round twice: what lies below a tie becomes the tie, which goes to even."""
    a, b, c = 2.0**-24 * (1 + 2.0**-23), 1 - 2.0**-23, 1 + 2.0**-23
    assert [float(np.float32(value)) for value in (a, b, c)] == [a, b, c]
    assert float(np.float32(a * b + c)) == 1 + 2.0**-22
    assert float(fma_one(a, b, c)) == 1 + 2.0**-23
