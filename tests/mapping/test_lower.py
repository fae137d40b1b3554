"""Every operator becomes the work it is."""

from dataclasses import replace
from math import prod

import pytest

from hwsim.errors import GraphError
from hwsim.graph import OPS, Work
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.lower import lower
from hwsim.mapping.tasks import VectorWork
from hwsim.numerics.granularity import Granularity
from tests.mapping.graphs import INT8, INT32, UINT8, conv, one


def work_of(graph):
    (task,) = lower(graph)
    assert task.layer == "node"
    return task.work


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(
    ("channels", "out", "groups", "expected"),
    [
        (6, 4, 1, (6 * 9, 4)),  # plain
        (6, 4, 2, (3 * 9, 2)),  # grouped
        (6, 6, 6, (9, 1)),  # depthwise: one column per channel
        (6, 12, 6, (9, 2)),  # depthwise with a multiplier
    ],
)
def test_convolution(batch, channels, out, groups, expected):
    attributes = {"kernel": (3, 3), "strides": (2, 2), "pads": (1, 1, 1, 1), "groups": groups}
    work = work_of(conv((batch, channels, 8, 10), (out, channels // groups, 3, 3), (batch, out, 4, 5), **attributes))
    assert isinstance(work, Gemm)
    assert (work.m, work.k, work.n, work.groups) == (batch * 20, *expected, groups)
    assert work.macs == batch * out * 20 * channels // groups * 9
    assert work.window.pads == (1, 1, 1, 1)
    assert (work.weight, work.has_bias, work.weight_is_activation) == (INT8.format, False, False)


def test_bias_is_seen():
    assert work_of(conv((1, 2, 4, 4), (3, 2, 1, 1), (1, 3, 4, 4), bias=True)).has_bias


def test_transposed_convolution_multiplies_zeros_that_it_does_not_store():
    graph = conv(
        (1, 4, 5, 5), (4, 2, 3, 3), (1, 2, 11, 11), op="ConvTranspose",
        kernel=(3, 3), strides=(2, 2), pads=(0, 0, 0, 0), output_padding=(0, 0),
    )  # fmt: skip
    work = work_of(graph)
    assert (work.m, work.k, work.n) == (121, 36, 2)
    assert (work.window.in_height, work.window.pads, work.window.strides) == (9, (2, 2, 2, 2), (1, 1))
    assert (work.window.spread, work.window.stored_width) == ((2, 2), 5)


def test_channel_affine_goes_to_the_vector_unit():
    work = work_of(conv((2, 5, 4, 4), (5, 1, 1, 1), (2, 5, 4, 4), bias=True, groups=5))
    assert isinstance(work, VectorWork)
    assert work.operations == (("multiply", 160), ("add", 160))
    assert [(s.operand, s.elements, s.bits) for s in work.reads] == [
        ("ifmap", 160, 8),
        ("weight", 5, 8),
        ("weight", 5, 32),
    ]
    assert (work.outputs, work.scales) == (160, 0)


def test_channels_of_an_affine_have_scales_of_their_own():
    graph = conv((2, 5, 4, 4), (5, 1, 1, 1), (2, 5, 4, 4), groups=5)
    weight = graph.tensors[graph.nodes[0].inputs[1]]
    grid = replace(INT8, scale=(0.5,) * 5, zero_point=(0,) * 5, granularity=Granularity(axis=0))
    assert work_of(graph.with_changes(tensors=[replace(weight, quant=grid)])).scales == 5


def test_gemm():
    graph = one("Gemm", [(7, 20), (20, 3), (3,)], [(7, 3)], constants=("x1", "x2"), grids={"x1": INT8, "x2": INT32})
    work = work_of(graph)
    assert (work.m, work.k, work.n, work.groups, work.has_bias, work.window) == (7, 20, 3, 1, True, None)


@pytest.mark.parametrize(
    ("a", "b", "y", "expected"),
    [
        ((2, 5, 7), (7, 3), (2, 5, 3), (10, 7, 3, 1)),  # one right operand: all rows together
        ((2, 5, 7), (1, 7, 3), (2, 5, 3), (10, 7, 3, 1)),
        ((2, 4, 5, 7), (2, 4, 7, 3), (2, 4, 5, 3), (5, 7, 3, 8)),  # heads
        ((5, 7), (4, 7, 3), (4, 5, 3), (5, 7, 3, 4)),  # a broadcast left operand
        ((7,), (4, 7, 3), (4, 3), (1, 7, 3, 4)),
        ((5, 7), (7,), (5,), (5, 7, 1, 1)),
        ((7,), (7,), (), (1, 7, 1, 1)),
    ],
)
def test_matmul(a, b, y, expected):
    work = work_of(one("MatMul", [a, b], [y]))
    assert (work.m, work.k, work.n, work.groups) == expected
    assert work.m * work.n * work.groups == prod(y)
    assert work.weight_is_activation
    assert not work_of(one("MatMul", [a, b], [y], constants=("x1",))).weight_is_activation


@pytest.mark.parametrize("op", ["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"])
def test_views_cost_nothing(op):
    assert work_of(one(op, [(2, 6)], [(12,)])) is None


@pytest.mark.parametrize(
    ("op", "shapes", "outputs", "attributes", "read"),
    [
        ("Transpose", [(2, 6)], [(6, 2)], {"permutation": (1, 0)}, 12),
        ("Split", [(2, 6)], [(2, 2), (2, 4)], {"axis": 1, "sizes": (2, 4)}, 12),
        ("Slice", [(2, 600)], [(2, 4)], {}, 8),
        ("Gather", [(1000, 4), (3,)], [(3, 4)], {"axis": 0}, 12),
        ("Pad", [(2, 6)], [(2, 8)], {}, 12),
        ("DepthToSpace", [(1, 4, 2, 2)], [(1, 1, 4, 4)], {}, 16),
        ("Resize", [(1, 4, 2, 2)], [(1, 4, 4, 4)], {"mode": "nearest"}, 16),
    ],
)
def test_moves_have_no_arithmetic(op, shapes, outputs, attributes, read):
    work = work_of(one(op, shapes, outputs, **attributes))
    assert (work.operations, work.outputs) == ((), 0)
    assert sum(stream.elements for stream in work.reads) == read
    assert [stream.elements for stream in work.writes] == [prod(shape) for shape in outputs]


@pytest.mark.parametrize(
    ("op", "shapes", "output", "attributes", "operations", "outputs"),
    [
        ("Add", [(2, 6), (2, 6)], (2, 6), {}, {"multiply": 24, "add": 12}, 12),
        ("Sum", [(2, 6)] * 3, (2, 6), {}, {"multiply": 36, "add": 24}, 12),
        ("MaxPool", [(1, 2, 4, 4)], (1, 2, 2, 2), {"kernel": (2, 2)}, {"compare": 32}, 0),
        ("AveragePool", [(1, 2, 4, 4)], (1, 2, 2, 2), {"kernel": (3, 3)}, {"add": 72}, 8),
        ("GlobalAveragePool", [(3, 2, 4, 4)], (3, 2, 1, 1), {}, {"add": 96}, 6),
        ("ReduceMean", [(3, 2, 5)], (3, 2), {"axes": (2,), "keepdims": 0}, {"add": 30}, 6),
        ("Sigmoid", [(2, 6)], (2, 6), {}, {"lookup": 12}, 0),  # the table holds output codes
        ("Relu", [(2, 6)], (2, 6), {}, {"compare": 12}, 0),
        ("Softmax", [(2, 6)], (2, 6), {"axis": 1}, {"exp": 12, "add": 12, "divide": 12, "compare": 12}, 12),
        ("Resize", [(1, 1, 2, 2)], (1, 1, 4, 4), {"mode": "linear"}, {"multiply": 64, "add": 48}, 16),
    ],
)
def test_vector_work(op, shapes, output, attributes, operations, outputs):
    work = work_of(one(op, shapes, [output], **attributes))
    assert (dict(work.operations), work.outputs) == (operations, outputs)
    assert work.bits == (32 if OPS[op].work is Work.FLOAT else 8)
    assert sum(stream.elements for stream in work.reads) == sum(prod(shape) for shape in shapes)


@pytest.mark.parametrize(("op", "shapes"), [("Gemm", [(2, 3), (3, 4)]), ("Softmax", [(2, 4)])])
def test_a_float_graph_is_refused(op, shapes):
    graph = one(op, shapes, [(2, 4)])
    bare = [replace(tensor, quant=None) for tensor in graph.tensors.values()]
    with pytest.raises(GraphError, match=r"tensor 'x0' of node 'node' .* has no grid; quantize the graph first"):
        lower(graph.with_changes(tensors=bare))


def test_grids_are_uint8_by_default():
    assert str(UINT8.format) == "uint8"
