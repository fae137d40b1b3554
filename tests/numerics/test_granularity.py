"""Groups of an axis that share a scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import HwsimError
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import Granularity
from hwsim.numerics.quant_params import QuantParams


@given(st.data())
def test_groups_spread_as_an_index(data):
    shape = tuple(data.draw(st.lists(st.integers(1, 4), min_size=2, max_size=4)))
    axis = data.draw(st.integers(0, len(shape) - 1))
    by = data.draw(st.sampled_from([None, *(i for i in range(len(shape)) if i != axis)]))
    count = data.draw(st.integers(1, shape[axis]))
    extra = data.draw(st.lists(st.integers(0, count - 1), min_size=shape[axis] - count, max_size=shape[axis] - count))
    groups = tuple(data.draw(st.permutations([*range(count), *extra])))
    grouped = Granularity(axis=axis, groups=groups, by=by)
    sizes = grouped.scale_shape(shape)
    values = np.arange(np.prod(sizes))
    spread = np.broadcast_to(grouped.spread(values, shape), shape)
    for index in np.ndindex(shape):
        place = groups[index[axis]] if by is None else index[by] * count + groups[index[axis]]
        assert spread[index] == values[place]


def test_one_group_is_one_scale_per_index_of_the_other_axis():
    weights = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    scales = (0.1, 0.02, 0.3)
    number = IntFormat(bits=4)
    grouped = QuantParams(
        format=number, scale=scales, zero_point=(0, 0, 0), granularity=Granularity.of_runs(0, 6, 6, 1)
    )
    channels = QuantParams(format=number, scale=scales, zero_point=(0, 0, 0), granularity=Granularity(axis=1))
    np.testing.assert_array_equal(grouped.encode(weights), channels.encode(weights))
    np.testing.assert_array_equal(grouped.decode(grouped.encode(weights)), channels.decode(channels.encode(weights)))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"groups": (0, 1)}, "groups need an axis"),
        ({"axis": 0, "groups": (0, 2)}, "without a gap"),
        ({"axis": 0, "groups": (0, 1), "block": 2}, "no block"),
        ({"axis": 0, "groups": (0, 1), "by": 0}, "another axis"),
        ({"axis": 0, "by": 1}, "beside groups"),
    ],
)
def test_bad_groups_are_refused(fields, said):
    with pytest.raises(HwsimError, match=said):
        Granularity(**fields)


def test_groups_of_another_size_are_refused():
    with pytest.raises(HwsimError, match="does not fit"):
        Granularity(axis=0, groups=(0, 1)).spread(np.ones(2), (3, 2))
