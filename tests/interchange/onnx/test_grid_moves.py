"""Grids follow their codes: moving codes and decoding them is decoding them and moving the numbers."""

from math import prod

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.graph.moves import moved_grid, reshaped, transposed
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams

NUMBER = IntFormat(bits=8)
SHAPES = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)


@st.composite
def coded(draw):
    """Draw codes and their grid: per tensor, per axis or per block."""
    shape = draw(SHAPES)
    kind = draw(st.sampled_from(["tensor", "axis", "block"]))
    axis = draw(st.integers(0, len(shape) - 1))
    granularity = {
        "tensor": PER_TENSOR,
        "axis": Granularity(axis=axis),
        "block": Granularity(axis=axis, block=draw(st.integers(1, 4))),
    }[kind]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = prod(granularity.scale_shape(shape))
    grid = QuantParams(
        format=NUMBER,
        scale=tuple(rng.uniform(0.1, 2, count).astype(np.float32).tolist()),
        zero_point=tuple(rng.integers(-128, 128, count).tolist()),
        granularity=granularity,
    )
    return rng.integers(-128, 128, shape), grid


@settings(deadline=None)
@given(coded(), st.data())
def test_transposed(tensor, data):
    codes, grid = tensor
    permutation = tuple(data.draw(st.permutations(range(codes.ndim))))
    after = transposed(grid, permutation, codes.shape)
    np.testing.assert_array_equal(after.decode(codes.transpose(permutation)), grid.decode(codes).transpose(permutation))


@st.composite
def regrouped(draw, shape):
    """Draw another shape of as many elements: sizes multiplied with their neighbours, split, and ones put in."""
    factors = [factor for size in shape for factor in ([size] if size != 4 else [2, 2])]
    sizes = []
    for factor in factors:
        action = draw(st.sampled_from(["keep", "merge", "one"]))
        if action == "merge" and sizes:
            sizes[-1] *= factor
        else:
            sizes += [1, factor] if action == "one" else [factor]
    return tuple(sizes)


@settings(deadline=None)
@given(coded(), st.data())
def test_reshaped(tensor, data):
    codes, grid = tensor
    shape = data.draw(regrouped(codes.shape))
    after = reshaped(grid, codes.shape, shape)
    if after is not None:
        np.testing.assert_array_equal(after.decode(codes.reshape(shape)), grid.decode(codes).reshape(shape))
    else:
        assert grid.granularity.axis is not None


@settings(deadline=None)
@given(coded(), st.integers(0, 2))
def test_a_shape_with_more_ones_keeps_the_grid(tensor, ones):
    codes, grid = tensor
    shape = (*(1,) * ones, *codes.shape, *(1,) * ones)
    assert reshaped(grid, codes.shape, shape) is not None


@settings(deadline=None)
@given(coded(), st.data())
def test_cut_and_padded(tensor, data):
    """Slices and pads of other axes keep the grid; along its own axis no grid is right."""
    codes, grid = tensor
    axis = data.draw(st.integers(0, codes.ndim - 1))
    own = grid.granularity.axis
    attributes = {"axes": (axis,), "starts": (0,), "ends": (1,), "steps": (1,)}
    after = moved_grid("Slice", attributes, grid, codes.shape, codes.shape)
    if isinstance(after, QuantParams):
        part = tuple(slice(0, 1) if dim == axis else slice(None) for dim in range(codes.ndim))
        np.testing.assert_array_equal(after.decode(codes[part]), grid.decode(codes)[part])
    assert (after == "lost") == (own is not None and (own == axis or grid.granularity.block is not None))


def test_operators_that_compute_pass_no_grid():
    grid = QuantParams(format=NUMBER, scale=(1.0,))
    assert moved_grid("Relu", {}, grid, (1,), (1,)) is None
    assert moved_grid("Identity", {}, None, (1,), (1,)) is None
