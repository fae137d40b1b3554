"""Compiled counting against its definition, value by value."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.kernels.histogram import bin_of, count, count_weighted

BINS, LIMIT = 16, 4.0
VALUES = st.floats(-LIMIT, np.nextafter(np.float32(LIMIT), np.float32(0), dtype=np.float32).item(), width=32)


@settings(deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=50), st.booleans())
def test_counts_are_those_of_the_definition(values, transposed):
    array = np.array(values * 2, np.float32).reshape(2, -1)
    counts, expected = np.zeros(BINS, np.int64), np.zeros(BINS, np.int64)
    count(counts, array.T if transposed else array, LIMIT)
    for value in array.reshape(-1):
        expected[bin_of(float(value), LIMIT, BINS)] += 1
    assert (counts == expected).all()


@settings(deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=20), st.integers(0, 99))
def test_weighted_counts_are_those_of_the_definition(values, seed):
    array = np.array(values * 6, np.float32).reshape(2, 3, -1)
    weights = np.random.default_rng(seed).uniform(size=3)
    counts, expected = np.zeros(BINS), np.zeros(BINS)
    count_weighted(counts, array, weights, LIMIT)
    for (_, channel, _), value in np.ndenumerate(array):
        expected[bin_of(float(value), LIMIT, BINS)] += weights[channel]
    np.testing.assert_allclose(counts, expected, rtol=1e-12)
