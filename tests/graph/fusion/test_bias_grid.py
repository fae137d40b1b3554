"""The grid of a bias where scales change along k."""

import numpy as np
import pytest

from hwsim.graph import Tensor
from hwsim.graph.fusion import bias_params
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams

BIAS = Tensor(name="b", shape=(2,), data=np.zeros(2, np.float32))


def grid(scales, granularity=PER_TENSOR, bits=8):
    return QuantParams(
        format=IntFormat(bits=bits), scale=tuple(scales), zero_point=(0,) * len(scales), granularity=granularity
    )


@pytest.mark.parametrize(("granularity", "scales", "largest"), [
    (PER_TENSOR, [0.5], [0.5]),
    (Granularity(axis=0), [0.5, 0.25], [0.5, 0.25]),
    (Granularity(axis=1, groups=(0, 0, 1), by=0), [0.5, 1.0, 0.25, 0.125], [1.0, 0.25]),
    (Granularity(axis=1, groups=(0, 0, 1)), [0.5, 1.0], [1.0]),
    (Granularity(axis=1, block=2), [0.5, -1.0, 0.25, 0.125], [1.0, 0.25]),
    (Granularity(axis=0, block=2), [0.5, 0.25, 1.0, 0.125], [1.0, 0.25]),
])  # fmt: skip
def test_each_column_takes_its_largest_product(granularity, scales, largest):
    ifmap = grid([0.5, 2.0], Granularity(axis=1, groups=(0, 1, 1)))
    found = bias_params(ifmap, grid(scales, granularity), BIAS)
    assert found.scale == tuple(2 * scale for scale in largest)
    assert (str(found.format), found.is_symmetric) == ("int32", True)
    assert found.granularity == (PER_TENSOR if len(largest) == 1 else Granularity(axis=0))
