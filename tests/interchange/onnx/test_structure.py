"""Names, outputs, folding and what is dropped."""

import numpy as np
import pytest
from onnx import helper

from hwsim.errors import GraphError
from hwsim.execute.float32 import run_float
from hwsim.interchange.onnx import read_onnx


def test_names(build):
    nodes = [
        helper.make_node("Relu", ["x"], ["a"], name="act"),
        helper.make_node("Tanh", ["a"], ["b"]),
        helper.make_node("Relu", ["b"], ["c"], name="twice"),
        helper.make_node("Relu", ["c"], ["y"], name="twice"),
    ]
    graph = read_onnx(build(nodes, {"x": [1, 4]}))
    assert [node.name for node in graph.nodes] == ["act", "Tanh_b", "Relu_c", "Relu_y"]


def test_identity_before_an_output_renames(build):
    graph = read_onnx(build([("Relu", ["x"], ["a"]), ("Identity", ["a"], ["y"])], {"x": [1, 4]}))
    assert [(node.name, node.outputs) for node in graph.nodes] == [("Relu_a", ("y",))]


@pytest.mark.parametrize("nodes", [
    [("Identity", ["x"], ["y"]), ("Relu", ["x"], ["z"])],
    [("Relu", ["x"], ["z"]), ("Identity", ["z"], ["y"])],
    [("Relu", ["x"], ["a"]), ("Identity", ["a"], ["y"]), ("Identity", ["a"], ["z"])],
])  # fmt: skip
def test_identity_stays_where_two_results_are_one_tensor(build, nodes):
    graph = read_onnx(build(nodes, {"x": [1, 2]}, outputs=("y", "z")), batch=3)
    assert graph.outputs == ("y", "z")
    assert [node.op for node in graph.nodes].count("Identity") == 1
    assert {graph.tensors[name].shape for name in "yz"} == {(3, 2)}


def test_constant_output(build):
    model = build([("Relu", ["x"], ["z"]), ("Identity", ["c"], ["y"])], {"x": [1, 2]}, ("y", "z"), {"c": np.float32(2)})
    assert run_float(read_onnx(model), {"x": np.zeros((1, 2))})["y"] == 2.0


def test_dead_nodes_and_constants_are_dropped(build, weights):
    nodes = [("Relu", ["x"], ["y"]), ("MatMul", ["x", "w"], ["unused"]), ("Elu", ["x"], ["z"])]
    graph = read_onnx(build(nodes[:2], {"x": [1, 4]}, constants={"w": weights(4, 4), "v": weights(2)}))
    assert set(graph.tensors) == {"x", "y"}
    with pytest.raises(GraphError):
        read_onnx(build(nodes, {"x": [1, 4]}, constants={"w": weights(4, 4)}))


def test_computed_reshape_target_folds(build):
    """Shape, Gather, Concat and Reshape, as torch exports ``x.view(x.shape[0], -1)``."""
    nodes = [
        ("Shape", ["x"], ["s"]), ("Gather", ["s", "zero"], ["n"], {"axis": 0}), ("Unsqueeze", ["n", "axes"], ["n1"]),
        ("Concat", ["n1", "rest"], ["target"], {"axis": 0}), ("Reshape", ["x", "target"], ["y"]),
    ]  # fmt: skip
    constants = {"zero": np.array(0), "axes": np.array([0]), "rest": np.array([-1])}
    graph = read_onnx(build(nodes, {"x": ["n", 2, 3]}, constants=constants), batch=4)
    (node,) = graph.nodes
    assert node.attributes["shape"] == (0, -1)
    assert graph.tensors["y"].shape == (4, 6)


def test_constants_that_do_not_fit(build):
    nodes = [("MatMul", ["a", "b"], ["c"]), ("Add", ["x", "c"], ["y"])]
    constants = {"a": np.ones((2, 3), np.float32), "b": np.ones((2, 3), np.float32)}
    with pytest.raises(GraphError, match=r"node 'MatMul_c' \(MatMul\): its constant inputs cannot be computed: "):
        read_onnx(build(nodes, {"x": [1, 2]}, constants=constants))


@pytest.mark.parametrize(("op", "count"), [("Sum", 1), ("Concat", 1)])
def test_one_operand_is_the_operand(build, op, count):
    attributes = {"axis": 1} if op == "Concat" else {}
    graph = read_onnx(
        build([("Relu", ["x"], ["a"]), (op, ["a"], ["b"], attributes), ("Tanh", ["b"], ["y"])], {"x": [1, 4]})
    )
    assert [node.op for node in graph.nodes] == ["Relu", "Tanh"]


def test_slices(build):
    big = 2**63 - 1
    constants = {
        "s": np.array([0, -1, 0]),
        "e": np.array([big, -big, big]),
        "a": np.array([0, 1, 2]),
        "t": np.array([1, -1, 2]),
    }
    graph = read_onnx(build([("Slice", ["x", "s", "e", "a", "t"], ["y"])], {"x": ["n", 4, 6]}, constants=constants))
    (node,) = graph.nodes
    assert dict(node.attributes) == {"axes": (1, 2), "starts": (3, 0), "ends": (-5, 6), "steps": (-1, 2)}
    x = np.arange(48, dtype=np.float32).reshape(2, 4, 6)
    assert np.array_equal(run_float(graph, {"x": x})["y"], x[:, ::-1, ::2])


def test_negative_pads_crop(build):
    constants = {"p": np.array([0, -1, 0, 2])}
    graph = read_onnx(build([("Pad", ["x", "p"], ["y"])], {"x": [1, 4]}, constants=constants))
    assert [node.op for node in graph.nodes] == ["Slice", "Pad"]
    x = np.arange(4, dtype=np.float32)[None]
    assert run_float(graph, {"x": x})["y"].tolist() == [[1, 2, 3, 0, 0]]


def test_negative_indices(build):
    graph = read_onnx(
        build([("Gather", ["x", "i"], ["y"], {"axis": 1})], {"x": [1, 4]}, constants={"i": np.array([-1, 0])})
    )
    assert graph.tensors["i.positive"].data.tolist() == [3, 0]
