"""Blocked scales of constants, read as groups where they repeat along the other axes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.interchange.onnx.grid import grouped
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams

INT8 = IntFormat(bits=8)


def blocked(scales, axis, block, zeros=None):
    zeros = np.zeros(scales.shape, int) if zeros is None else zeros
    return QuantParams(
        format=INT8,
        scale=tuple(np.float32(scales).reshape(-1).tolist()),
        zero_point=tuple(zeros.reshape(-1).tolist()),
        granularity=Granularity(axis=axis, block=block),
    )


@given(st.data())
def test_every_code_stands_for_the_same_number(data):
    """Scales and zero points that change along any drawn axes beside the blocked one."""
    shape = tuple(data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)))
    axis = data.draw(st.integers(0, len(shape) - 1))
    block = data.draw(st.integers(1, shape[axis] + 1))
    full = Granularity(axis=axis, block=block).scale_shape(shape)
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    drawn = tuple(size if data.draw(st.booleans()) else 1 for size in full)
    zeros = rng.integers(-9, 9, tuple(size if data.draw(st.booleans()) else 1 for size in drawn))
    grid = blocked(np.broadcast_to(rng.uniform(0.1, 1, drawn), full), axis, block, np.broadcast_to(zeros, full))
    codes = rng.integers(-128, 128, shape)
    found = grouped(grid, shape)
    np.testing.assert_array_equal(found.decode(codes), grid.decode(codes))
    changing = [i for i in range(len(shape)) if i != axis and drawn[i] > 1]
    assert (found.granularity.block is None) == (len(shape) > 2 and len(changing) <= 1)


@pytest.mark.parametrize(
    ("scales", "block", "expected"),
    [
        (np.arange(1, 7).reshape(3, 2, 1, 1), 2, Granularity.of_runs(1, 4, 2, by=0)),
        (np.arange(1, 3).reshape(1, 2, 1, 1), 2, Granularity.of_runs(1, 4, 2)),
        (np.arange(1, 4).reshape(3, 1, 1, 1), 4, Granularity(axis=0)),
        (np.ones((1, 1, 1, 1)), 4, PER_TENSOR),
        (np.arange(1, 13).reshape(3, 2, 2, 1), 2, Granularity(axis=1, block=2)),
        (-np.arange(1, 7).reshape(3, 2, 1, 1), 2, Granularity(axis=1, block=2)),
    ],
)
def test_weights_of_a_convolution(scales, block, expected):
    full = Granularity(axis=1, block=block).scale_shape((3, 4, 2, 2))
    assert grouped(blocked(np.broadcast_to(scales, full), 1, block), (3, 4, 2, 2)).granularity == expected
