"""Products that only thresholds read leave the array as accumulators, where all of a column count in one unit."""

import numpy as np
import pytest

from hwsim.graph import Graph, Node, Tensor
from hwsim.graph.fusion.accumulator_grids import accumulator_grids
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams


def counted(a_grid, b_grid):
    """A MatMul of tokens by a matrix, whose result thresholds count."""
    tensors = (
        Tensor(name="a", shape=(1, 4, 8), quant=a_grid),
        Tensor.of_codes("b", np.ones((8, 5), np.int8), b_grid),
        Tensor(name="sums", shape=(1, 4, 5)),
        Tensor(name="steps", shape=(1, 3), data=np.array([[0.0, 1.0, 2.0]], np.float32)),
        Tensor(name="y", shape=(1, 4, 5), quant=QuantParams(format=IntFormat(bits=2, signed=False), scale=(1.0,))),
    )
    thresholds = {"out_scale": 1.0, "out_bias": 0.0, "channel_axis": -1}
    nodes = (
        Node(name="mm", op="MatMul", inputs=("a", "b"), outputs=("sums",), attributes={}),
        Node(name="count", op="MultiThreshold", inputs=("sums", "steps"), outputs=("y",), attributes=thresholds),
    )
    return Graph(name="one", nodes=nodes, tensors={t.name: t for t in tensors}, inputs=("a",), outputs=("y",))


def int8(axis=None, count=1):
    scales = tuple(0.5 * (1 + index) for index in range(count))
    granularity = PER_TENSOR if axis is None else Granularity(axis=axis)
    return QuantParams(format=IntFormat(bits=8), scale=scales, zero_point=(0,) * count, granularity=granularity)


@pytest.mark.parametrize(
    ("a_grid", "b_grid", "scales"),
    [
        (int8(), int8(), (0.25,)),
        (int8(), int8(1, 5), (0.25, 0.5, 0.75, 1.0, 1.25)),
        (int8(1, 4), int8(), None),  # rows count in units of their own
        (int8(1, 4), int8(1, 5), None),
        (int8(2, 8), int8(), None),  # segments along k
    ],
)
def test_the_grid_of_sums(a_grid, b_grid, scales):
    found = accumulator_grids(counted(a_grid, b_grid)).tensors["sums"].quant
    assert (None if found is None else found.scale) == scales
