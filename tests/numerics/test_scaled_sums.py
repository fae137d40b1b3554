"""Sums of rescaled folds against exact rationals."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwsim.numerics.accumulator import Accumulator, accumulate
from hwsim.numerics.rounding import Rounding
from hwsim.numerics.scaled_sums import accumulate_real, accumulate_scaled

EXACT = Accumulator()
FOLDS = st.lists(st.lists(st.integers(-1000, 1000), min_size=1, max_size=5), min_size=1, max_size=5)


def scaled(folds, constants, rounding=Rounding.HALF_UP, **changed):
    products = [value for fold in folds for value in fold]
    registers = {"psum": EXACT, "accumulator": EXACT} | changed
    lengths = [len(fold) for fold in folds]
    return accumulate_scaled(products, folds=lengths, constants=constants, rounding=rounding, **registers)


@given(FOLDS, st.data(), st.integers(-100, 100))
def test_every_fold_is_rounded_once(folds, data, start):
    constants = [(data.draw(st.integers(0, 128)), 7) for _ in folds]
    beside = [data.draw(st.integers(-50, 50)) for _ in folds]
    value, events, _ = scaled(folds, constants, start=start, beside=beside)
    terms = [(sum(fold) + more) * Fraction(m, 128) for fold, more, (m, _) in zip(folds, beside, constants, strict=True)]
    assert value == start + sum((term + Fraction(1, 2)).__floor__() for term in terms)
    assert events == 0


@given(
    FOLDS,
    st.sampled_from(["int8:wrap", "int8:saturate", "int12:exact"]),
    st.sampled_from(["int9:wrap", "int10:saturate"]),
)
def test_ratio_one_is_plain_accumulation(folds, psum, accumulator):
    registers = {"psum": Accumulator.parse(psum), "accumulator": Accumulator.parse(accumulator)}
    lengths = [len(fold) for fold in folds]
    plain = accumulate([value for fold in folds for value in fold], segments=lengths, start=3, **registers)
    assert scaled(folds, [(1, 0)] * len(folds), start=3, **registers) == plain


def test_the_order_of_folds_matters_to_a_register_that_saturates():
    narrow = Accumulator.parse("int8:saturate")
    assert scaled([[200], [-100]], [(1, 0), (1, 0)], accumulator=narrow)[:2] == (27, 1)
    assert scaled([[-100], [200]], [(1, 0), (1, 0)], accumulator=narrow)[:2] == (100, 0)


@given(st.lists(st.tuples(st.integers(-(2**24), 2**24), st.floats(2**-20, 1, width=32)), min_size=1, max_size=6))
def test_a_float_register_rounds_at_every_step(terms):
    """Products of 24-bit integers by float32 are exact in float64; so are rounded sums of two float32."""
    total = 0.0
    for value, scale in terms:
        total = float(np.float32(total + float(np.float32(value * float(scale)))))
    assert accumulate_real([value for value, _ in terms], [np.float32(scale) for _, scale in terms]) == np.float32(
        total
    )
