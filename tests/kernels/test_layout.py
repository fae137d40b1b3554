"""Orders in memory, against numpy's own transposes."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.kernels.layout import flat, flat_views, memory_order, shown, transposed


@st.composite
def laid_out(draw):
    """Return an array whose axes lie in any order, and a permutation of them."""
    rank = draw(st.integers(1, 5))
    shape = draw(st.tuples(*[st.integers(0, 4)] * rank))
    dtype = draw(st.sampled_from([np.uint8, np.int8, np.int16, np.float32]))
    order = draw(st.permutations(range(rank)))
    x = np.arange(int(np.prod(shape))).astype(dtype).reshape(shape)
    return x.transpose(order), tuple(draw(st.permutations(range(rank))))


@settings(deadline=None, max_examples=200)
@given(case=laid_out())
def test_a_flat_array_is_a_view_in_its_own_order_and_comes_back(case):
    x, permutation = case
    elements = flat(x, memory_order(x))
    assert np.shares_memory(elements, x) or not x.size
    for order in (memory_order(x), permutation):
        assert np.array_equal(shown(flat(x, order), x.shape, order), x)


@settings(deadline=None, max_examples=200)
@given(case=laid_out())
def test_a_transpose_has_the_values_of_numpy_in_the_order_of_its_operand(case):
    x, permutation = case
    result = transposed(x, permutation)
    assert np.array_equal(result, x.transpose(permutation))
    assert result.dtype == x.dtype
    assert not np.shares_memory(result, x)
    assert result.transpose(memory_order(x)).flags.c_contiguous


def test_a_shuffle_of_channels_leaves_them_innermost():
    """Channels split in groups, swapped and merged again: the merged map is a view."""
    x = np.arange(2 * 4 * 5 * 6, dtype=np.uint8).reshape(2, 4, 5, 6).transpose(0, 3, 1, 2)
    shuffled = transposed(x.reshape(2, 2, 3, 4, 5), (0, 2, 1, 3, 4))
    merged = shuffled.reshape(2, 6, 4, 5)
    assert np.shares_memory(merged, shuffled)
    assert merged.transpose(0, 2, 3, 1).flags.c_contiguous
    assert np.array_equal(merged[:, 1], x[:, 3])


@settings(deadline=None, max_examples=100)
@given(case=laid_out())
def test_arrays_that_lie_alike_have_flat_views(case):
    x, permutation = case
    views = flat_views(x, x.copy("K"))
    assert np.array_equal(views[0], views[1])
    assert np.shares_memory(views[0], x) or not x.size
    other = np.ascontiguousarray(x.transpose(permutation))  # of the same elements in another order, or of another shape
    if memory_order(x.transpose(permutation)) != memory_order(other) and x.size > 1 and min(x.shape) > 1:
        assert flat_views(x.transpose(permutation), other) is None
    assert flat_views(x, x[..., :0]) is None or not x.size
