from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.errors import HwsimError
from hwsim.graph import Tensor
from hwsim.numerics.formats import Codebook, IntFormat, parse_format
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.sparsity import Sparsity
from hwsim.quantization.rounding.neighbours import neighbours, share_above

GRANULARITIES = (
    PER_TENSOR,
    Granularity(axis=0),
    Granularity(axis=1, block=2),
    Granularity(axis=1, groups=(0, 1, 0, 1, 2), by=0),
)
SHAPE = (3, 5)


def weight(seed, text="int4", granularity=PER_TENSOR, zero_point=0):
    rng = np.random.default_rng(seed)
    count = int(np.prod(granularity.scale_shape(SHAPE)))
    scales = tuple(float(np.float32(value)) for value in rng.uniform(0.05, 0.3, count))
    grid = QuantParams(
        format=parse_format(text), scale=scales, zero_point=(zero_point,) * count, granularity=granularity
    )
    return Tensor(name="w", shape=SHAPE, data=rng.normal(size=SHAPE).astype(np.float32), quant=grid)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from(GRANULARITIES), st.sampled_from((0, 3)))
def test_of_integers_they_are_floor_and_ceil(seed, granularity, zero_point):
    tensor = weight(seed, granularity=granularity, zero_point=zero_point)
    low, high = neighbours(tensor)
    steps = tensor.data / granularity.spread(tensor.quant.scales(), SHAPE)
    np.testing.assert_array_equal(low, np.clip(np.floor(steps) + zero_point, -8, 7))
    np.testing.assert_array_equal(high, np.clip(np.ceil(steps) + zero_point, -8, 7))


@pytest.mark.parametrize("text", ["int3", "uint4", "fp4e2m1", "ternary", "pot4", "fixed<6,3>"])
def test_the_nearest_code_is_one_of_them(text):
    tensor = weight(5, text)
    low, high = neighbours(tensor)
    nearest = tensor.encoded()
    assert ((nearest == low) | (nearest == high)).all()
    below, above = tensor.quant.decode(low), tensor.quant.decode(high)
    assert (below <= above).all()


def test_a_table_with_thresholds_of_its_own_has_the_values_on_either_side():
    book = Codebook(name="b", values=(-1, 0, Fraction(1, 2), 2), thresholds=(-0.1, 0.1, 1.9))
    grid = QuantParams(format=book, scale=(1.0,))
    tensor = Tensor(name="w", shape=(3,), data=np.float32([-0.5, 0.25, 1.0]), quant=grid)
    low, high = neighbours(tensor)
    assert (low.tolist(), high.tolist()) == ([0, 1, 2], [1, 2, 3])


def test_weights_on_a_value_and_beyond_the_ends_have_no_choice():
    grid = QuantParams(format=IntFormat.parse("int2"), scale=(0.5,))
    tensor = Tensor(name="w", shape=(4,), data=np.float32([-3.0, 0.5, 9.0, 0.25]), quant=grid)
    low, high = neighbours(tensor)
    assert (low.tolist(), high.tolist()) == ([-2, 1, 1, 0], [-2, 1, 1, 1])
    assert share_above(tensor, low, high).tolist() == [0.5, 0.5, 0.5, 0.5]


@pytest.mark.parametrize("text", ["int4", "power4:0.7"])
def test_pruned_weights_stay_zero(text):
    """Also on a table, where 0 is not code 0."""
    tensor = weight(3, text)
    (zero,) = tensor.quant.format.encode_real(np.zeros(1))
    codes = tensor.encoded().copy()
    codes[:, ::2] = zero
    low, high = neighbours(replace(tensor, codes=codes, sparsity=Sparsity.parse("2:4")))
    assert (low[:, ::2] == zero).all()
    assert (high[:, ::2] == zero).all()
    assert (high[:, 1::2] != zero).any()
    assert (low[:, 1::2] != high[:, 1::2]).any()


def test_a_weight_without_a_grid_is_refused():
    bare = Tensor(name="w", shape=SHAPE, data=np.zeros(SHAPE, np.float32))
    with pytest.raises(HwsimError, match="tensor 'w' has no calibrated grid"):
        neighbours(bare)
