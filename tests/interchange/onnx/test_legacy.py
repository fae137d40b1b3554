"""Old operator sets: the same rows as the new forms."""

import numpy as np
import pytest

from hwsim.interchange.onnx import read_onnx

I64 = np.int64


def only(graph):
    (node,) = graph.nodes
    return node.op, dict(node.attributes)


@pytest.mark.parametrize(("old", "opset", "new", "constants"), [
    (("Clip", ["x"], ["y"], {"min": 0.0, "max": 6.0}), 6, ("Clip", ["x", "a", "b"], ["y"]),
     {"a": np.float32(0), "b": np.float32(6)}),
    (("Clip", ["x"], ["y"], {"max": 6.0}), 6, ("Clip", ["x", "", "b"], ["y"]), {"b": np.float32(6)}),
    (("Squeeze", ["x"], ["y"], {"axes": [0, -1]}), 11, ("Squeeze", ["x", "a"], ["y"]), {"a": np.array([0, 3])}),
    (("Unsqueeze", ["x"], ["y"], {"axes": [1]}), 11, ("Unsqueeze", ["x", "a"], ["y"]), {"a": np.array([1])}),
    (("Slice", ["x"], ["y"], {"starts": [1], "ends": [2**31 - 1], "axes": [1]}), 9,
     ("Slice", ["x", "s", "e", "a"], ["y"]), {"s": np.array([-2]), "e": np.array([2**63 - 1]), "a": np.array([-3])}),
    (("Pad", ["x"], ["y"], {"pads": [0, 0, 1, 0, 0, 0, 0, 2], "value": 1.0}), 10, ("Pad", ["x", "p", "v", "a"], ["y"]),
     {"p": np.array([1, 0, 0, 2]), "v": np.float32(1), "a": np.array([2, 3])}),
    (("ReduceMean", ["x"], ["y"], {"axes": [-1, -2]}), 13, ("ReduceMean", ["x", "a"], ["y"]), {"a": np.array([2, 3])}),
    (("Split", ["x"], ["y", "z"], {"axis": 1, "split": [1, 2]}), 11, ("Split", ["x", "s"], ["y", "z"], {"axis": 1}),
     {"s": np.array([1, 2])}),
    (("Reshape", ["x"], ["y"], {"shape": [0, -1]}), 1, ("Reshape", ["x", "s"], ["y"]), {"s": np.array([0, -1])}),
])  # fmt: skip
def test_attributes_and_inputs_give_one_row(build, old, opset, new, constants):
    shape = {"x": [1, 3, 4, 1]}
    before = read_onnx(build([old], shape, outputs=old[2], opset=opset))
    after = read_onnx(build([new], shape, outputs=new[2], constants=constants, opset=18))
    assert only(before) == only(after)
    assert [before.tensors[name].shape for name in old[2]] == [after.tensors[name].shape for name in new[2]]


def test_open_bounds_are_none(build):
    largest = float(np.finfo(np.float32).max)
    model = build([("Clip", ["x"], ["y"], {"min": -largest, "max": 6.0})], {"x": [1, 4]}, opset=6)
    assert only(read_onnx(model)) == ("Clip", {"minimum": None, "maximum": 6.0})


def test_channel_broadcast_of_operator_set_6(build):
    nodes = [
        ("Add", ["x", "c"], ["a"], {"broadcast": 1, "axis": 1}),
        ("Mul", ["a", "z"], ["y"], {"broadcast": 1, "axis": 1}),
    ]
    graph = read_onnx(build(nodes, {"x": [1, 3, 4, 5], "z": [3]}, constants={"c": np.ones(3, np.float32)}, opset=6))
    assert graph.tensors["c.aligned"].shape == (3, 1, 1)
    assert [node.op for node in graph.nodes] == ["Add", "Unsqueeze", "Mul"]
    assert graph.tensors["y"].shape == (1, 3, 4, 5)


def test_softmax_over_all_dimensions_behind_axis(build):
    graph = read_onnx(build([("Softmax", ["x"], ["y"], {"axis": 1})], {"x": ["n", 3, 4]}, opset=11))
    assert [(node.name, node.op) for node in graph.nodes] == [
        ("Softmax_y/flatten", "Flatten"), ("Softmax_y", "Softmax"), ("Softmax_y/reshape", "Reshape"),
    ]  # fmt: skip
    assert graph.nodes[2].attributes["shape"] == (0, 3, 4)


@pytest.mark.parametrize(("shape", "axis", "normalized"), [((1, 10, 1, 1), 1, 1), ((1, 10), 1, 1), ((1, 1, 10), 1, 2)])
def test_softmax_that_is_the_same_in_every_set(build, shape, axis, normalized):
    graph = read_onnx(build([("Softmax", ["x"], ["y"], {"axis": axis})], {"x": shape}, opset=9))
    assert only(graph) == ("Softmax", {"axis": normalized})


def test_dropout_vanishes(build):
    nodes = [("Relu", ["x"], ["a"]), ("Dropout", ["a"], ["b", "mask"], {"ratio": 0.5}), ("Tanh", ["b"], ["y"])]
    graph = read_onnx(build(nodes, {"x": [1, 4]}, opset=9))
    assert [(node.op, node.inputs) for node in graph.nodes] == [("Relu", ("x",)), ("Tanh", ("a",))]


def test_channel_affine_stays_multiply_and_add(build):
    nodes = [
        ("Unsqueeze", ["s"], ["s3"], {"axes": [1, 2]}), ("Mul", ["x", "s3"], ["m"]),
        ("Unsqueeze", ["b"], ["b3"], {"axes": [1, 2]}), ("Add", ["m", "b3"], ["y"]),
    ]  # fmt: skip
    constants = {"s": np.ones(3, np.float32), "b": np.ones(3, np.float32)}
    graph = read_onnx(build(nodes, {"x": [1, 3, 4, 4]}, constants=constants, opset=9))
    assert [node.op for node in graph.nodes] == ["Mul", "Add"]
    assert graph.tensors["s3"].data.shape == (3, 1, 1)
    assert set(graph.tensors) == {"x", "s3", "m", "b3", "y"}
