"""The compiled QLinearAdd against its definition, code by code."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.kernels.vector.qlinear import bound_qlinear_add, qlinear_add
from hwsim.numerics.vector.onnxruntime.add import add_constants, add_one, folded_operand


def channels_last(x):
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from([np.uint8, np.int8]),
    shapes=st.sampled_from(
        [((1, 2, 3, 5),) * 2, ((2, 3, 4, 4), (3, 1, 1)), ((1, 16, 1, 1), (1, 16, 2, 2)), ((7,), (7,)), ((3, 1), (4,))]
    ),
    scales=st.sampled_from([(0.1, 0.2, 0.25), (1.0, 1.0, 2.0), (30.0, 1e-3, 1e-3), (1e9, 1e9, 1.0)]),
    last=st.booleans(),
)
def test_a_sum_is_that_of_its_definition(seed, dtype, shapes, scales, last):
    """Whole vectors and the elements behind them; halves; sums beyond 2^31, which count as the smallest."""
    random, ends = np.random.default_rng(seed), np.iinfo(dtype)
    a, b = (random.integers(ends.min, ends.max + 1, shape).astype(dtype) for shape in shapes)
    if last and a.ndim == 4:
        a = channels_last(a)
    zero_points = tuple(int(random.integers(ends.min, ends.max + 1)) for _ in range(3))
    low, high = sorted(int(random.integers(ends.min, ends.max + 1)) for _ in range(2))
    constants, folded = add_constants(scales, zero_points), folded_operand(a.shape, b.shape)
    done = qlinear_add(a, b, constants, folded, low, high)
    pairs = [(int(x), int(y)) for x, y in zip(*(array.flat for array in np.broadcast_arrays(a, b)), strict=True)]
    assert done.codes.dtype == dtype
    assert done.codes.flatten().tolist() == [add_one(x, y, constants, folded, low, high) for x, y in pairs]
    free = [add_one(x, y, constants, folded, -(1 << 31), 1 << 31) for x, y in pairs]
    assert done.clipped_low == sum(code < low for code in free)
    assert done.clipped_high == sum(code > high for code in free)


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 64])
def test_sums_of_any_length(size):
    a = np.arange(size, dtype=np.uint8)
    constants = add_constants((0.5, 0.5, 1.0), (0, 0, 0))
    done = qlinear_add(a, a, constants, None, 0, 40)
    assert done.codes.tolist() == np.minimum(a, 40).tolist()
    assert done.clipped_high == max(size - 41, 0)


def test_a_bound_sum_is_that_of_what_its_operands_hold():
    random, constants = np.random.default_rng(0), add_constants((0.5, 0.25, 0.4), (3, -5, 1))
    a, b, codes = (channels_last(np.zeros((2, 5, 3, 3), np.int8)) for _ in range(3))
    run = bound_qlinear_add(a, b, constants, -100, 90, codes)
    for _ in range(2):
        a[...], b[...] = (random.integers(-128, 128, a.shape) for _ in range(2))
        done = qlinear_add(a, b, constants, None, -100, 90)
        assert run() == (done.clipped_low, done.clipped_high)
        assert np.array_equal(codes, done.codes)


def test_arrays_that_lie_otherwise_are_not_bound():
    a = np.zeros((2, 5, 3, 3), np.int8)
    constants = add_constants((0.5, 0.25, 0.4), (3, -5, 1))
    assert bound_qlinear_add(a, channels_last(a), constants, -100, 90, a.copy()) is None
    assert bound_qlinear_add(a, a[:, :1], constants, -100, 90, a.copy()) is None
