"""Where the graph permutes: only between what needs channels first and what needs the file's order of elements."""

import numpy as np

from hwsim.interchange.tflite import placed_tensors, read_tflite
from tests.interchange.tflite.builder import File

POOL = {"Padding": 0, "StrideH": 1, "StrideW": 1, "FilterHeight": 2, "FilterWidth": 2}


def chain(*steps, shape=(1, 4, 4, 3)):
    """Operators in a row behind input x: (code, shape of the result, other operands, options, fields)."""
    f = File()
    last = f.input("x", shape, "FLOAT32")
    for number, (code, result, extra, options, fields) in enumerate(steps):
        operands = [f.constant(f"c{number}_{place}", *values) for place, values in enumerate(extra)]
        step = f.tensor(f"t{number}", result, "FLOAT32")
        f.operator(code, [last, *operands], [step], options, **fields)
        last = step
    return f.build([last])


def pool(*shape):
    return "MAX_POOL_2D", shape, (), "Pool2DOptions", POOL


def reshape(*shape):
    return "RESHAPE", shape, (([*shape],),), None, {}


def add(*shape):
    return "ADD", shape, ((np.ones(shape[-1]), "FLOAT32"),), "AddOptions", {}


def operators(data):
    return [node.op for node in read_tflite(data).nodes]


def test_no_permutation_without_height_and_width():
    data = chain(add(1, 4, 4, 3), reshape(4, 12), add(4, 12))
    assert operators(data) == ["Add", "Reshape", "Add"]
    assert all(at.permutation == tuple(range(len(at.permutation))) for at in placed_tensors(data).values())


def test_inputs_are_channels_first_where_a_window_reads_them_in_the_end():
    data = chain(add(1, 4, 4, 3), pool(1, 4, 4, 3), add(1, 4, 4, 3))
    assert operators(data) == ["Add", "MaxPool", "Add"]
    graph = read_tflite(data)
    assert graph.tensors["x"].shape == graph.tensors["t2"].shape == (1, 3, 4, 4)
    assert graph.tensors[graph.nodes[0].inputs[1]].shape == (1, 3, 1, 1)


def test_flattening_needs_one_permutation_and_none_of_single_elements():
    assert operators(chain(pool(1, 4, 4, 3), reshape(1, 48))) == ["MaxPool", "Transpose", "Reshape"]
    assert operators(chain(pool(1, 1, 1, 3), reshape(1, 3), shape=(1, 1, 1, 3))) == ["MaxPool", "Reshape"]
    assert operators(chain(reshape(1, 1, 1, 48), pool(1, 1, 1, 48))) == ["Reshape", "MaxPool"]


def test_a_tensor_is_permuted_once_for_all_who_need_it():
    f = File()
    x = f.input("x", (1, 4, 4, 3), "FLOAT32")
    pooled = f.tensor("pooled", (1, 4, 4, 3), "FLOAT32")
    f.operator("MAX_POOL_2D", [x], [pooled], "Pool2DOptions", **POOL)
    ends = []
    for number in range(2):
        ends.append(f.tensor(f"y{number}", (1, 48), "FLOAT32"))
        f.operator("RESHAPE", [pooled, f.constant(f"s{number}", [1, 48])], [ends[-1]])
    assert sorted(operators(f.build(ends))) == ["MaxPool", "Reshape", "Reshape", "Transpose"]


def test_a_permutation_of_the_file_that_the_layout_makes_is_none():
    """``[batch, height, width, channels]`` to channels first is how the graph holds it already."""
    order = ("TRANSPOSE", (1, 3, 4, 4), (([0, 3, 1, 2],),), "TransposeOptions", {})
    data = chain(pool(1, 4, 4, 3), order, ("EXP", (1, 3, 4, 4), (), "ExpOptions", {}))
    assert operators(data) == ["MaxPool", "Exp"]
    assert placed_tensors(data)[2 + 1].permutation == (0, 1, 2, 3)


def test_there_and_back():
    data = chain(pool(1, 4, 4, 3))
    at = placed_tensors(data)[0]
    array = np.arange(48).reshape(1, 4, 4, 3)
    np.testing.assert_array_equal(at.in_graph_layout(array), array.transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(at.in_file_layout(at.in_graph_layout(array)), array)
