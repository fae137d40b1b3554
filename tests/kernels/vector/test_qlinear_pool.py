"""The compiled QLinearAveragePool against its definition, code by code."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.kernels.vector.qlinear_pool import qlinear_average_pool, qlinear_global_average_pool
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers import float32
from hwsim.numerics.vector.onnxruntime.average_pool import average_codes, dequantized


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from([np.uint8, np.int8]),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    strides=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    last=st.booleans(),
    scale=st.sampled_from([0.1, 0.37, 1.0]),
)
def test_a_mean_is_that_of_its_definition(seed, dtype, kernel, strides, last, scale):
    random, ends = np.random.default_rng(seed), np.iinfo(dtype)
    before = tuple(int(random.integers(0, size)) for size in kernel)
    x = random.integers(ends.min, ends.max + 1, (2, 5, *(size + 3 for size in kernel))).astype(dtype)
    zero, out_zero = (int(random.integers(ends.min, ends.max + 1)) for _ in range(2))
    low, high = sorted(int(random.integers(ends.min, ends.max + 1)) for _ in range(2))
    count = [(x.shape[axis + 2] + before[axis] - kernel[axis]) // strides[axis] + 1 for axis in (0, 1)]
    sums, elements = np.zeros((2, 5, *count), np.float32), np.zeros(count, np.int64)
    real = dequantized(x, scale, zero)
    for row, column in np.ndindex(*count):
        for tap_row, tap_column in np.ndindex(*kernel):
            at = row * strides[0] - before[0] + tap_row, column * strides[1] - before[1] + tap_column
            if min(at) >= 0:
                sums[:, :, row, column] += real[:, :, at[0], at[1]]
                elements[row, column] += 1
    wanted = average_codes(sums, elements, 0.29, out_zero)
    given_x = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2) if last else x
    grids = (scale, zero), (0.29, out_zero)
    done = qlinear_average_pool(given_x, kernel, strides, before, elements, grids, (low, high))
    assert done.codes.dtype == dtype
    assert (done.codes == np.clip(wanted, low, high)).all()
    assert (done.clipped_low, done.clipped_high) == ((wanted < low).sum(), (wanted > high).sum())


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from([np.uint8, np.int8]),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 20), st.integers(1, 5), st.integers(1, 5)),
    last=st.booleans(),
    real=st.sampled_from([0.01, 0.25, 0.5, 2.0]),
)
def test_a_global_mean_is_the_sum_under_the_requantizer(seed, dtype, shape, last, real):
    random, ends = np.random.default_rng(seed), np.iinfo(dtype)
    x = random.integers(ends.min, ends.max + 1, shape).astype(dtype)
    zero, out_zero, *bounds = (int(random.integers(ends.min, ends.max + 1)) for _ in range(4))
    low, high = sorted(bounds)
    unit = Requantizer(scheme="float32")
    multiplier = float32.constants(np.array([real]), unit).multiplier[0]
    given_x = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2) if last else x
    done = qlinear_global_average_pool(given_x, multiplier, (zero, out_zero), (low, high))
    sums = [int(total) for total in (x.astype(np.int64) - zero).sum(axis=(2, 3)).flat]
    free = [float32.requantize_one(total, multiplier, 0, unit, out_zero, -(10**6), 10**6) for total in sums]
    assert done.codes.dtype == dtype
    assert done.codes.shape == (*shape[:2], 1, 1)
    assert done.codes.flatten().tolist() == [min(max(code, low), high) for code in free]
    assert (done.clipped_low, done.clipped_high) == (sum(c < low for c in free), sum(c > high for c in free))
