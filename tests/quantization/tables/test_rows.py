"""Rows of any granularity: every element once, beside those that share its scale."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.quantization.tables.rows import alive, gathered, rows_of, sampled, scale_count

SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 7), st.integers(1, 3))


def granularities(shape):
    yield PER_TENSOR
    for axis in range(len(shape)):
        yield Granularity(axis=axis)
        yield Granularity(axis=axis, block=2)
        for by in (None, *(other for other in range(len(shape)) if other != axis)):
            yield Granularity.of_runs(axis, shape[axis], 3, by=by)


@given(SHAPES, st.integers(0, 99))
def test_each_scale_gets_the_elements_that_spread_gives_it(shape, seed):
    values = np.random.default_rng(seed).permutation(int(np.prod(shape))).reshape(shape).astype(np.float32)
    for granularity in granularities(shape):
        count = scale_count(granularity, shape)
        owner = np.broadcast_to(granularity.spread(np.arange(count), shape), shape)
        parts = rows_of(values, granularity)
        found = {int(index): row.tolist() for part in parts for index, row in zip(part.scale, part.values, strict=True)}
        assert found == {index: sorted(values[owner == index].tolist()) for index in range(count)}
        assert gathered(parts, [part.scale for part in parts]).tolist() == list(range(count))


def test_a_sample_is_a_tensor_of_its_own():
    values = np.arange(60, dtype=np.float32).reshape(12, 5)
    parts = sampled(rows_of(values, Granularity.of_runs(1, 5, 2, by=0)), 20)
    assert [part.scale.tolist() for part in parts] == [[0, 1, 2, 3], list(range(4, 12))]
    assert sum(part.values.size for part in parts) == 20


def test_rows_of_zeros_are_left_out():
    values = np.array([[0, 0, 0, 1, 2], [0, 0, 0, 0, 0], [3, 0, 0, 0, 0]], np.float32)
    parts = rows_of(values, Granularity.of_runs(1, 5, 3, by=0))  # groups of three and of two
    found = alive(parts)
    assert [part.values.tolist() for part in found] == [[[1, 2]], [[0, 0, 3]]]
    assert np.concatenate([part.scale for part in found]).tolist() == [0, 1]
    assert alive(rows_of(values[1], Granularity(axis=0))) == ()
