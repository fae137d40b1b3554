import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwsim.quantization.ranges.seen import Histogram
from hwsim.quantization.ranges.seen.histogram import BINS


def histogram(values, parts):
    found = Histogram()
    for part in np.array_split(values, parts):
        found.update(part, float(np.abs(part).max(initial=0.0)))
    return found


@given(
    values=st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=60),
    parts=st.integers(1, 8),
)
def test_counts_do_not_depend_on_batches_nor_on_their_order(values, parts):
    array = np.array(values, np.float32)
    whole, cut, sorted_ = histogram(array, 1), histogram(array, parts), histogram(np.sort(array), parts)
    assert whole.limit == cut.limit == sorted_.limit
    assert (whole.counts == cut.counts).all()
    assert (whole.counts == sorted_.counts).all()
    assert whole.zeros == cut.zeros == sorted_.zeros == (array == 0).sum()
    assert whole.counts.sum() + whole.zeros == array.size


def test_centres_are_within_half_a_bin():
    values = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    found = histogram(values, 3)
    seen = found.distribution(float(values.min()), float(values.max()))
    error = np.repeat(seen.values, seen.weights.astype(int)) - np.sort(values)
    assert np.abs(error).max() <= found.limit / BINS + 1e-12
