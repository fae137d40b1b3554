"""Accumulator widths: against logarithms, against every input of narrow layers, and against one another."""

from itertools import permutations, product
from math import ceil, log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.numerics.bounds import accumulator_bits, data_type_bits, exact_range, l1_bits, prefix_range
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
    columns = [prefix_range(column.tolist(), activation.minimum, activation.maximum) for column in weight.T]
    assert got.exact == bits_for_range(min(c[0] for c in columns), max(c[1] for c in columns))


def test_start_is_part_of_the_range():
    weight = np.array([[1, -1]])
    assert exact_range(weight, 0, 1, np.array([5, -9])) == (-10, 6)
    assert exact_range(np.zeros((3, 0), int), 0, 1) == (0, 0)
