"""Which scales of a MatMul change outside of the sum over k, and along which axes of the result."""

import numpy as np
import pytest

from hwsim.graph import Graph, Node, Tensor, why_real
from hwsim.graph.positions import operand_axes, rescaled_by_position, result_axes
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams


def product(a, b, y, a_grid=PER_TENSOR, b_grid=PER_TENSOR, y_grid=PER_TENSOR, constant=False):
    """A MatMul of tensors with these shapes and granularities, widths only."""
    grids = (QuantParams(format=IntFormat(bits=8), granularity=grid) for grid in (a_grid, b_grid, y_grid))
    tensors = [
        Tensor(name=name, shape=shape, quant=grid) for name, shape, grid in zip("aby", (a, b, y), grids, strict=True)
    ]
    if constant:
        tensors[1] = Tensor(name="b", shape=b, quant=tensors[1].quant, data=np.zeros(b, np.float32))
    node = Node(name="mm", op="MatMul", inputs=("a", "b"), outputs=("y",), attributes={})
    inputs = ("a",) if constant else ("a", "b")
    return Graph(name="one", nodes=(node,), tensors={t.name: t for t in tensors}, inputs=inputs, outputs=("y",)), node


HEADS = (1, 3, 4, 8), (1, 3, 8, 5), (1, 3, 4, 5)


def axis(index, by=None, groups=None):
    return Granularity(axis=index, by=by, groups=groups)


@pytest.mark.parametrize(
    ("grid", "found"),
    [
        (PER_TENSOR, set()),
        (axis(2), {2}),
        (axis(1), {1}),
        (axis(2, groups=(0, 0, 1, 1)), {2}),
        (axis(2, by=1, groups=(0, 0, 1, 1)), {1, 2}),
        (axis(3), None),
        (axis(0), None),
        (axis(2, by=3, groups=(0, 0, 1, 1)), None),
        (Granularity(axis=2, block=2), None),
    ],
)
def test_axes_of_the_ifmap(grid, found):
    assert operand_axes(*product(*HEADS, a_grid=grid), 0) == found


@pytest.mark.parametrize(("grid", "found"), [(axis(3), {3}), (axis(1), {1}), (axis(2), None), (axis(0), None)])
def test_axes_of_the_right_operand(grid, found):
    assert operand_axes(*product(*HEADS, b_grid=grid), 1) == found


def test_axes_count_from_the_right():
    shapes = (1, 3, 4, 8), (3, 8, 5), (1, 3, 4, 5)
    assert operand_axes(*product(*shapes, b_grid=axis(0), constant=True), 1) == {1}
    assert operand_axes(*product(*shapes, b_grid=axis(0)), 1) is None  # images of a computed tensor
    assert operand_axes(*product(*shapes, b_grid=axis(2)), 1) == {3}


def test_a_vector_has_no_rows():
    graph, node = product((8,), (3, 8, 5), (3, 5))
    assert operand_axes(graph, node, 0) is None
    assert result_axes(graph, node) is None
    assert not rescaled_by_position(graph, node)
    assert why_real(graph, node) is None


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({}, False),
        ({"a_grid": axis(2)}, True),
        ({"b_grid": axis(3)}, True),
        ({"y_grid": axis(3)}, False),  # channels of the result, as of every product
        ({"y_grid": axis(2)}, True),
        ({"y_grid": axis(3, by=1, groups=(0, 1, 0, 1, 0))}, True),
        ({"a_grid": axis(3)}, False),  # segments
    ],
)
def test_what_is_rescaled_by_position(keys, found):
    graph, node = product(*HEADS, **keys)
    assert rescaled_by_position(graph, node) is found
    assert why_real(graph, node) is None


def test_a_matrix_of_weights_has_columns_alone():
    assert not rescaled_by_position(*product((1, 4, 8), (8, 5), (1, 4, 5), b_grid=axis(1), constant=True))
    assert rescaled_by_position(*product((1, 4, 8), (8, 5), (1, 4, 5), a_grid=axis(1), constant=True))


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"a_grid": axis(0)}, "neither leave the sum"),
        ({"a_grid": axis(3), "b_grid": axis(1)}, "neither leave the sum"),
        ({"b_grid": axis(2)}, "neither leave the sum"),
        ({"y_grid": axis(0)}, "the scales of its result"),
        ({"y_grid": Granularity(axis=2, block=2)}, "the scales of its result"),
    ],
)
def test_what_stays_real_says_so(keys, words):
    assert words in why_real(*product(*HEADS, **keys))
