"""Scales that plain operators find at run time are read as what they are; a file that differs in one of them is not."""

from collections.abc import Mapping

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import hwsim
from hwsim.errors import GraphError
from hwsim.graph.fusion import adopt
from hwsim.interchange.onnx import read_onnx, write_qdq
from hwsim.interchange.qonnx import write_qonnx
from hwsim.quantization.run_time import found_at_run_time
from tests.integers import every_tensor
from tests.quantization.test_run_time import tokens

MACHINE = hwsim.accelerator("edge_16x16", overrides=["datapath.accumulator=exact"])


def facts(graph):
    """Return what the operators do and read; weights by their codes."""
    rows = []
    for node in graph.nodes:
        grids = [graph.tensors[name].quant for name in (*node.inputs, *node.outputs)]
        formats = [None if grid is None else grid.format for grid in grids]
        attributes = {key: value for key, value in node.attributes.items() if key not in ("clamp", "normal")}
        rows.append((node.name, node.op, formats, node.clamp, attributes))
    return rows


@pytest.mark.parametrize("write", [write_qdq, write_qonnx])
@pytest.mark.parametrize("network", ["digits_mobilenet", "digits_resnet"])
def test_the_recipe_costs_the_same_when_read_back(network, write, tmp_path):
    shown = {"image": hwsim.dataset(network, "calibration")["image"][:16]}
    images = {"image": hwsim.dataset(network, "test")["image"][:3]}
    graph = hwsim.load(network)
    made = hwsim.quantize(graph, recipe="zeroquant_groups", weights="int4", activations="uint8", calibration=shown)
    write(made, tmp_path / "q.onnx")
    back = hwsim.load(tmp_path / "q.onnx")
    assert facts(back) == facts(made)
    assert facts(adopt(back)) == facts(back)
    expected, found = (hwsim.simulate(each, MACHINE, images, compare=False) for each in (made, back))
    for key in ("cycles", "energy_pj", "dram_bytes"):
        assert found.summary[key] == expected.summary[key], key
    integers = every_tensor(made, MACHINE, images)
    for name, codes in every_tensor(back, MACHINE, images).items():
        np.testing.assert_array_equal(codes, integers[name], err_msg=name)


@pytest.mark.parametrize("write", [write_qdq, write_qonnx])
@pytest.mark.parametrize("activations", ["int4", "uint4", "int5", "int6", "uint6", "int8", "uint8", "int16"])
def test_every_width_comes_back_for_rows(activations, write, tmp_path):
    """ONNX has no int5 and int6: a Clip keeps their range, and tells them from int8."""
    images = {"x": np.random.default_rng(1).normal(size=(3, 4, 12)).astype(np.float32)}
    made = found_at_run_time(hwsim.quantize(tokens(), weights="int8", activations=activations, calibration=images))
    write(made, tmp_path / "q.onnx")
    back = hwsim.load(tmp_path / "q.onnx", batch=3)
    finder = back.node_of["second.quantize"]
    assert finder.attributes == made.node_of["second.quantize"].attributes
    assert back.tensors[finder.outputs[0]].quant.format == made.tensors["second.codes"].quant.format
    assert [(node.name, node.op) for node in back.nodes] == [(node.name, node.op) for node in made.nodes]
    ours, theirs = every_tensor(made, MACHINE, images), every_tensor(back, MACHINE, images)
    for name in ("second.codes", "second.scale", "y"):
        np.testing.assert_array_equal(theirs[name], ours[name])


def foreign(**changes):
    """Return a file of another hand: rows with scales of their own, as int8, times a weight.

    Args:
        changes: of the constants, or of the nodes by the name of their output: a node, or None for one that is left out.
    """
    constants = {
        "max": np.float32(127),
        "zero": np.float32(0),
        "one": np.array([1], np.float32),
        "last": np.array([-1]),
    }
    constants |= {"q_scale": np.float32(1), "q_zero": np.int8(0), "w_scale": np.float32(0.5)}
    constants["w"] = np.arange(-6, 6, dtype=np.int8).reshape(4, 3)
    constants |= {name: value for name, value in changes.items() if name in constants}
    nodes = {
        "size": helper.make_node("Abs", ["x"], ["size"]),
        "peak": helper.make_node("ReduceMax", ["size", "last"], ["peak"], keepdims=1),
        "found": helper.make_node("Div", ["peak", "max"], ["found"]),
        "positive": helper.make_node("Greater", ["found", "zero"], ["positive"]),
        "scale": helper.make_node("Where", ["positive", "found", "one"], ["scale"]),
        "ratio": helper.make_node("Div", ["x", "scale"], ["ratio"], name="quantize"),
        "codes": helper.make_node("QuantizeLinear", ["ratio", "q_scale", "q_zero"], ["codes"]),
        "real": helper.make_node("DequantizeLinear", ["codes", "q_scale", "q_zero"], ["real"]),
        "weight": helper.make_node("DequantizeLinear", ["w", "w_scale"], ["weight"]),
        "sums": helper.make_node("MatMul", ["real", "weight"], ["sums"], name="layer"),
        "y": helper.make_node("Mul", ["scale", "sums"], ["y"]),
    }
    nodes |= {name: node for name, node in changes.items() if name in nodes}
    outputs = changes.get("outputs", {"y": [2, 3]})
    graph = helper.make_graph(
        [node for node in nodes.values() if node is not None],
        "foreign",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 4])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def read(model) -> Mapping:
    return adopt(read_onnx(model.SerializeToString(), batch=2))


ROWS = st.lists(st.floats(-1e3, 1e3, width=32), min_size=8, max_size=8)


@given(rows=ROWS)
def test_files_of_others_give_what_the_reference_gives(rows):
    model = foreign()
    x = {"x": np.array(rows, np.float32).reshape(2, 4)}
    graph = read(model)
    assert [node.op for node in graph.nodes] == ["DynamicQuantize", "MatMul", "Rescale"]
    assert graph.nodes[0].attributes == {"axis": 1, "format": "int8"}
    (expected,) = ReferenceEvaluator(model).run(None, x)
    np.testing.assert_array_equal(every_tensor(graph, MACHINE, x)["y"], expected)


def test_what_is_not_quantized_behind_keeps_its_quotients():
    """The scales are found all the same; only codes need a grid."""
    graph = read(foreign(codes=None, real=helper.make_node("Neg", ["ratio"], ["real"])))
    assert [node.op for node in graph.nodes] == ["DynamicQuantize", "Neg", "MatMul", "Mul"]
    assert graph.tensors[graph.nodes[0].outputs[0]].quant is None


@pytest.mark.parametrize(
    "changes",
    [
        {"max": np.float32(100)},
        {"max": np.array([127, 63], np.float32).reshape(2, 1)},
        {"zero": np.float32(1e-6)},
        {"max": np.full((1, 1, 1), 127, np.float32)},
        {"one": np.array([2], np.float32)},
        {"size": helper.make_node("Neg", ["x"], ["size"])},
        {"positive": helper.make_node("Less", ["found", "zero"], ["positive"])},
        {"scale": helper.make_node("Where", ["positive", "one", "found"], ["scale"])},
        {"ratio": helper.make_node("Mul", ["x", "scale"], ["ratio"])},
        {"ratio": helper.make_node("Div", ["size", "scale"], ["ratio"])},
        {"peak": helper.make_node("ReduceMax", ["size"], ["peak"], keepdims=1)},
        {"outputs": {"y": [2, 3], "peak": [2, 1]}},
        {"outputs": {"y": [2, 3], "found": [2, 1]}},
    ],
)
def test_another_operator_constant_or_reader_is_refused_as_ever(changes):
    with pytest.raises(GraphError, match=r"operator '(Abs|ReduceMax|Greater|Less)' is not supported"):
        read(foreign(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"last": np.array([0])},
        {"last": np.array([0, 1])},
        {"peak": helper.make_node("ReduceMax", ["size", "last"], ["peak"], keepdims=0)},
    ],
)
def test_other_dimensions_are_named(changes):
    with pytest.raises(
        GraphError, match=r"'quantize' .* over the dimensions .* of 2 is not supported; find one per token"
    ):
        read(foreign(**changes))


def test_the_file_of_a_model_with_functions_and_constants_as_nodes():
    model = foreign()
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    kept = [tensor for tensor in stored.values() if tensor.name not in ("max", "zero", "one", "last")]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    for name in ("max", "zero", "one", "last"):
        model.graph.node.insert(0, helper.make_node("Constant", [], [name], value=stored[name]))
    onnx.checker.check_model(model)
    assert [node.op for node in read(model).nodes] == ["DynamicQuantize", "MatMul", "Rescale"]
