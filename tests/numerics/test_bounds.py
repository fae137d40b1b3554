"""Accumulator widths: against logarithms, against every input of narrow layers, and against one another."""

from itertools import permutations, product
from math import ceil, log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.numerics.accumulator import Accumulator, Overflow, accumulate
from hwsim.numerics.bounds import (
    accumulator_bits,
    centred_l1_bits,
    data_type_bits,
    exact_range,
    fold_ranges,
    l1_bits,
    prefix_range,
)
from hwsim.numerics.formats import IntFormat, bits_for_range


@given(k=st.integers(1, 5000), n=st.integers(2, 8), m=st.integers(2, 8), signed=st.booleans(), l1=st.integers(1, 10**6))
def test_closed_forms_of_a2q(k, n, m, signed, l1):
    """``ceil(a + log2(1 + 2^-a) + 1)`` in floating point, eq. 3 and 5 of A2Q."""
    activation, weight = IntFormat(bits=n, signed=signed), IntFormat(bits=m)
    alpha = log2(k) + n + m - 1 - signed
    assert data_type_bits(k, activation, weight) == ceil(log2(2**alpha + 1) - 1e-12) + 1
    beta = log2(l1) + n - signed
    assert l1_bits(l1, activation) == ceil(log2(2**beta + 1) - 1e-12) + 1


weights = st.lists(st.integers(-3, 3), min_size=1, max_size=3)


@pytest.mark.parametrize(("low", "high"), [(-2, 1), (0, 3), (1, 3), (-3, -1)])
@given(column=weights, start=st.integers(-5, 5))
def test_exact_range_is_the_range_of_every_sum_in_every_order(low, high, column, start):
    sums = {start}
    for inputs in product(range(low, high + 1), repeat=len(column)):
        for order in permutations(range(len(column))):
            total = start
            for index in order:
                total += inputs[index] * column[index]
                sums.add(total)
    assert prefix_range(column, low, high, start) == (min(sums), max(sums))
    assert exact_range(np.array(column)[:, None], low, high, start) == (min(sums), max(sums))


@given(seed=st.integers(0, 2**32 - 1), bits=st.integers(2, 8), signed=st.booleans(), k=st.integers(1, 40))
def test_each_bound_is_tighter(seed, bits, signed, k):
    activation, weight_format = IntFormat(bits=bits, signed=signed), IntFormat(bits=4)
    weight = np.random.default_rng(seed).integers(-8, 8, (k, 3)).astype(np.int8)
    got = accumulator_bits(weight, activation, weight_format, activation.minimum, activation.maximum)
    assert got.exact <= got.l1 <= got.data_type
    assert got.exact <= got.l1_centred
    columns = [prefix_range(column.tolist(), activation.minimum, activation.maximum) for column in weight.T]
    assert got.exact == bits_for_range(min(c[0] for c in columns), max(c[1] for c in columns))


def test_start_is_part_of_the_range():
    weight = np.array([[1, -1]])
    assert exact_range(weight, 0, 1, np.array([5, -9])) == (-10, 6)
    assert exact_range(np.zeros((3, 0), int), 0, 1) == (0, 0)


@given(l1=st.integers(1, 10**5), bits=st.integers(1, 8), low=st.integers(-255, 0))
def test_the_closed_form_of_a2q_plus(l1, bits, low):
    """``ceil(log2(|w|_1 (2^N - 1) + 2))`` and the norm that P bits allow, ``(2^P - 2) / (2^N - 1)``."""
    span = 2**bits - 1
    width = centred_l1_bits(l1, low, low + span) if low + span >= 0 else centred_l1_bits(l1, 0, span)
    assert width == ceil(log2(l1 * span + 2) - 1e-12)
    assert l1 * span <= 2**width - 2
    assert width == 2 or l1 * span > 2 ** (width - 1) - 2


@given(half=st.lists(st.integers(-7, 7), min_size=1, max_size=6), low=st.integers(-20, 0), high=st.integers(0, 20))
def test_zero_centred_weights_need_no_more_than_a2q_plus_says(half, low, high):
    column = [*half, *(-weight for weight in half)]
    norm = sum(abs(weight) for weight in column)
    assert bits_for_range(*prefix_range(column, low, high)) <= max(centred_l1_bits(norm, low, high), 1)


@given(
    seed=st.integers(0, 2**32 - 1),
    low=st.integers(-9, 3),
    span=st.integers(1, 12),
    start=st.integers(-40, 40),
    tree=st.integers(1, 4),
    order=st.randoms(use_true_random=False),
)
def test_a_width_that_any_bound_calls_safe_never_overflows(seed, low, span, start, tree, order):
    """The worst inputs of each column, and random ones, in a random order, with folds and trees."""
    random = np.random.default_rng(seed)
    weight = random.integers(-7, 8, (6, 2))
    high = low + span
    activation = IntFormat(bits=max(bits_for_range(low, high), 2))
    folds = np.array([2, 4])
    psum = accumulator_bits(weight, activation, IntFormat(bits=4), low, high, folds)
    total = accumulator_bits(weight, activation, IntFormat(bits=4), low, high, None, start)
    turn = list(range(6))
    order.shuffle(turn)
    for inputs in (random.integers(low, high + 1, 6), *(np.where(weight[:, j] > 0, high, low) for j in (0, 1))):
        for j in (0, 1):
            for name in ("data_type", "l1", "l1_centred", "exact"):
                inside, behind = (
                    Accumulator(bits=max(getattr(found, name), 2), overflow=Overflow.SATURATE)
                    for found in (psum, total)
                )
                products = (inputs * weight[:, j])[[*sorted(turn[:2]), *turn[2:]]].tolist()
                reordered = products if set(turn[:2]) == {0, 1} else (inputs * weight[:, j]).tolist()
                value, events, _ = accumulate(
                    reordered, segments=[2, 4], psum=inside, accumulator=behind, start=start, tree=tree
                )
                assert (value, events) == (start + int(inputs @ weight[:, j]), 0)
                whole = Accumulator(bits=behind.bits, overflow=Overflow.WRAP)
                shuffled = (inputs * weight[:, j])[turn].tolist()
                assert accumulate(shuffled, segments=[1] * 6, psum=whole, accumulator=whole, start=start)[1] == 0


@pytest.mark.parametrize("start", [0, 7, -100])
def test_the_exact_bound_is_the_least_width(start):
    """The worst input overflows one bit less, psum by its worst fold, the accumulator by its worst column."""
    weight = np.random.default_rng(2).integers(-7, 8, (12, 5))
    activation = IntFormat.parse("uint4")
    folds = np.array([4, 8])
    for number, beginning in ((folds, 0), (np.array([12]), start)):
        bits = accumulator_bits(weight, activation, IntFormat(bits=4), 0, 15, number, beginning).exact
        smallest, largest = (side + beginning for side in fold_ranges(weight, number, 0, 15))
        assert bits_for_range(int(smallest.min()), int(largest.max())) == bits
        assert not -(2 ** (bits - 2)) <= min(smallest.min(), ~largest.max()) or bits == 1


def test_ranges_beyond_64_bits_are_python_integers():
    weight = np.full((4, 1), 2**31 - 1)
    smallest, largest = fold_ranges(weight, np.array([4]), -(2**31), 2**31 - 1)
    assert smallest[0, 0] == -(2**31) * (2**31 - 1) * 4
    assert exact_range(weight, -(2**31), 2**31 - 1) == (smallest[0, 0], largest[0, 0])
