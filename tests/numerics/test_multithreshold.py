"""Counted thresholds: integer comparisons say the same as the decoded numbers, as far as float32 holds them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwsim.numerics.multithreshold import ALWAYS, NEVER, count_reached, least_code, least_codes

FLOATS = st.floats(-1e4, 1e4, width=32)
SCALES = st.floats(2.0**-10, 2.0**10, width=32)


@given(FLOATS, SCALES, st.integers(-3, 3))
def test_the_least_code_is_the_first_whose_float32_value_reaches_the_threshold(threshold, scale, step):
    least = least_code(threshold, scale)
    code = least + step
    reaches = np.float32(code) * np.float32(scale) >= np.float32(threshold)
    assert reaches == (code >= least)


@given(st.integers(2 - 2**24, 2**24 - 2), SCALES)
def test_a_product_that_rounds_up_to_the_threshold_reaches_it(code, scale):
    threshold = float(np.float32(code) * np.float32(scale))
    assert least_code(threshold, scale) <= code
    assert np.float32(least_code(threshold, scale) - 1) * np.float32(scale) < threshold


@given(st.integers(-(2**40), 2**40), st.integers(-10, 10))
def test_beyond_float32_integers_are_compared_exactly(code, exponent):
    scale = 2.0**exponent
    threshold = float(np.float32(code * scale))
    assert least_code(threshold, scale) * scale == threshold


def test_thresholds_that_are_no_numbers():
    inf = float("inf")
    assert [least_code(value, 0.5) for value in (inf, -inf, float("nan"))] == [NEVER, ALWAYS, NEVER]
    values = np.array([[-np.inf, 0, np.inf, np.nan]])
    assert count_reached(values, np.array([[-np.inf, 1, np.inf, np.nan]]), 1).tolist() == [[1, 1, 3, 0]]


@given(st.integers(0, 2**32 - 1))
def test_counting_is_the_sum_of_comparisons(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 5, int(rng.integers(2, 5))).tolist())
    axis = int(rng.integers(0, len(shape)))
    rows = 1 if rng.integers(2) else shape[axis]
    thresholds = rng.integers(-20, 20, (rows, int(rng.integers(1, 9))))
    x = rng.integers(-25, 25, shape)
    spread = np.broadcast_to(thresholds, (shape[axis], thresholds.shape[1]))
    moved = np.moveaxis(x, axis, -1)[..., None] >= spread
    assert np.array_equal(count_reached(x, thresholds, axis), np.moveaxis(moved.sum(-1), -1, axis))


def test_a_scale_per_channel_and_shared_thresholds():
    found = least_codes(np.array([[3.0, 1.0]], np.float32), np.array([1.0, 0.5], np.float32))
    assert found.tolist() == [[1, 3], [2, 6]]
