"""Segments along k are the common refinement of both operands' partitions."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwsim.graph import Graph, Node, Tensor
from hwsim.graph.partition import k_partition
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams

INT8 = IntFormat(bits=8)


def product(op, x, weight, ifmap, other, **attributes):
    """Return a graph of one product whose operands have these granularities, widths only."""
    tensors = [
        Tensor(name="x", shape=x, quant=QuantParams(format=INT8, granularity=ifmap)),
        Tensor(
            name="w",
            shape=weight,
            data=np.zeros(weight, np.float32),
            quant=QuantParams(format=INT8, granularity=other),
        ),
        Tensor(name="y", shape=(1,)),
    ]
    node = Node(name="y", op=op, inputs=("x", "w"), outputs=("y",), attributes=attributes)
    return Graph(name="one", nodes=(node,), tensors={t.name: t for t in tensors}, inputs=("x",), outputs=("y",)), node


def groups(data, size, **fields):
    count = data.draw(st.integers(1, size))
    extra = data.draw(st.lists(st.integers(0, count - 1), min_size=size - count, max_size=size - count))
    return Granularity(
        axis=fields.pop("axis"), groups=tuple(data.draw(st.permutations([*range(count), *extra]))), **fields
    )


@given(st.data())
def test_every_channel_has_one_segment_with_its_own_scales(data):
    k, n = data.draw(st.integers(1, 9)), 3
    ifmap, weight = groups(data, k, axis=1), groups(data, k, axis=0, by=1)
    found = k_partition(*product("MatMul", (2, k), (k, n), ifmap, weight))
    assert sorted(found.order) == list(range(k))
    pairs = list(zip(found.ifmap, found.weight, strict=True))
    assert len(set(pairs)) == len(pairs) == len(found.segments)
    owner = np.repeat(np.arange(len(pairs)), found.segments)
    for place, channel in enumerate(found.order):
        assert pairs[owner[place]] == (ifmap.groups[channel], weight.groups[channel])


def test_plain_granularities_are_whole():
    for weight in (PER_TENSOR, Granularity(axis=1)):
        found = k_partition(*product("MatMul", (2, 4), (4, 3), PER_TENSOR, weight))
        assert found.is_whole
        assert found.is_ordered
        assert found.segments == (4,)


def test_a_convolution_counts_channels():
    window = {"kernel": (3, 3), "strides": (1, 1), "pads": (1, 1, 1, 1), "dilations": (1, 1), "groups": 1}
    ifmap, weight = Granularity(axis=1, groups=(0, 1, 0, 1)), Granularity(axis=1, groups=(0, 0, 1, 1), by=0)
    found = k_partition(*product("Conv", (1, 4, 5, 5), (2, 4, 3, 3), ifmap, weight, **window))
    assert found.order == (0, 2, 1, 3)
    assert found.segments == (1, 1, 1, 1)
    assert (found.ifmap, found.weight) == ((0, 0, 1, 1), (0, 1, 0, 1))


def test_blocks_of_onnx_are_runs():
    found = k_partition(*product("MatMul", (2, 5), (5, 3), PER_TENSOR, Granularity(axis=0, block=2)))
    assert found.segments == (2, 2, 1)
    assert found.is_ordered


def test_scales_that_leave_no_sum_are_refused():
    window = {"kernel": (1, 1), "strides": (1, 1), "pads": (0, 0, 0, 0), "dilations": (1, 1), "groups": 2}
    channel = Granularity(axis=1)
    assert k_partition(*product("Conv", (1, 4, 5, 5), (4, 2, 1, 1), channel, PER_TENSOR, **window)) is None
    assert k_partition(*product("MatMul", (2, 4), (4, 3), Granularity(axis=0), PER_TENSOR)) is None
    graph, node = product("MatMul", (2, 4), (4, 3), PER_TENSOR, PER_TENSOR)
    real = graph.with_changes(tensors=[replace(graph.tensors["x"], quant=None)])
    assert k_partition(real, node) is None
