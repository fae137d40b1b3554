"""Widths that ONNX has no types for: a Clip of the stored codes tells them (quantize, clip, dequantize)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import hwsim
from hwsim.graph import Tensor
from hwsim.graph.fusion import adopt
from hwsim.interchange.onnx import read_onnx, write_qdq
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams
from tests.integers import every_tensor
from tests.interchange.onnx.test_tables import there_and_back


@given(
    bits=st.sampled_from([2, 3, 5, 6, 7]),
    kind=st.sampled_from(["int", "uint", "narrow"]),
    granularity=st.sampled_from([PER_TENSOR, Granularity(axis=0), Granularity.of_runs(1, 6, 2, by=0)]),
    seed=st.integers(0, 99),
)
def test_weights_keep_their_width(bits, kind, granularity, seed, tmp_path_factory):
    generator = np.random.default_rng(seed)
    number = IntFormat(bits=bits, signed=kind != "uint", narrow=kind == "narrow")
    shape, (low, high) = (3, 6, 2, 2), number.operand_range
    count = int(np.prod(granularity.scale_shape(shape)))
    grid = QuantParams(
        format=number,
        scale=tuple(generator.uniform(0.1, 2, count).astype(np.float32).tolist()),
        zero_point=tuple(generator.integers(low, high, count, endpoint=True).tolist()),
        granularity=granularity,
    )
    weight = Tensor.of_codes("w", generator.integers(low, high, shape, endpoint=True), grid)
    found = there_and_back(weight, tmp_path_factory.getbasetemp() / "width.onnx")
    assert found.quant == grid
    np.testing.assert_array_equal(found.encoded(), weight.codes)
    np.testing.assert_array_equal(found.data, weight.data)


@pytest.mark.parametrize(
    ("weights", "activations"),
    [("int2", "uint8"), ("int3", "int5"), ("int5n", "uint6"), ("int8", "int12"), ("int8", "int8n")],
)
def test_a_network_costs_the_same_when_read_back(weights, activations, tmp_path):
    name, machine = "digits_resnet", hwsim.accelerator("edge_16x16", overrides=["datapath.accumulator=exact"])
    shown, images = ({"image": hwsim.dataset(name, part)["image"][:8]} for part in ("calibration", "test"))
    made = hwsim.quantize(hwsim.load(name), weights=weights, activations=activations, calibration=shown)
    write_qdq(made, tmp_path / "q.onnx")
    back = hwsim.load(tmp_path / "q.onnx")
    for ours, theirs in zip(made.nodes, back.nodes, strict=True):
        assert (ours.name, ours.op) == (theirs.name, theirs.op)
        for mine, other in zip((*ours.inputs, *ours.outputs), (*theirs.inputs, *theirs.outputs), strict=True):
            grids = made.tensors[mine].quant, back.tensors[other].quant
            assert grids[1].format == grids[0].format or grids[0].format.bits == 64, mine
    expected, found = (hwsim.simulate(graph, machine, images, compare=False) for graph in (made, back))
    for key in ("cycles", "energy_pj", "dram_bytes"):
        assert found.summary[key] == expected.summary[key], key
    np.testing.assert_array_equal(found.outputs["logits"], expected.outputs["logits"])


def foreign(low, high, *, zero_point=0, from_real=False):
    """Return a file of another hand: stored or quantized weights, clipped and dequantized, times rows."""
    codes = np.array([[-8, 7], [100, -100], [3, 0]], np.int8)
    constants = {"scale": np.float32(0.5), "zero": np.int8(zero_point), "low": np.int8(low), "high": np.int8(high)}
    first = [helper.make_node("QuantizeLinear", ["reals", "scale", "zero"], ["codes"])] if from_real else []
    constants |= {"reals": codes * np.float32(0.5)} if from_real else {"codes": codes}
    nodes = [
        *first,
        helper.make_node("Clip", ["codes", "low", "high"], ["clipped"]),
        helper.make_node("DequantizeLinear", ["clipped", "scale", "zero"], ["w"]),
        helper.make_node("MatMul", ["x", "w"], ["y"], name="layer"),
    ]
    sides = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, size]) for name, size in (("x", 3), ("y", 2))]
    stored = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "foreign", sides[:1], sides[1:], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


@pytest.mark.parametrize("from_real", [False, True])
@pytest.mark.parametrize(
    ("low", "high", "zero_point", "expected"),
    [
        (-8, 7, 0, "int4"),
        (-7, 7, 1, "int4n"),
        (-4, 3, -4, "int3"),
        (-5, 3, 0, "int8"),  # of no format
        (-8, 7, 20, "int8"),  # whose zero point is none of its codes
        (-128, 127, 0, "int8"),
    ],
)
def test_files_of_others(low, high, zero_point, expected, from_real):
    model = foreign(low, high, zero_point=zero_point, from_real=from_real)
    graph = read_onnx(model.SerializeToString(), batch=2)
    weight = graph.tensors[graph.node_of["layer"].inputs[1]]
    assert str(weight.quant.format) == expected
    (product,) = ReferenceEvaluator(model).run(None, {"x": np.eye(3, dtype=np.float32)[:2]})
    np.testing.assert_array_equal(weight.data[:2], product)


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0, 63, "uint6"), (0, 15, "uint4"), (3, 60, "uint8"), (0, 255, "uint8")]
)
def test_activations_that_are_clipped_as_codes(low, high, expected):
    """The form of QCDQ exporters: the Clip stands between QuantizeLinear and DequantizeLinear."""
    constants = {"scale": np.float32(0.3), "zero": np.uint8(7), "low": np.uint8(low), "high": np.uint8(high)}
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["codes"]),
        helper.make_node("Clip", ["codes", "low", "high"], ["clipped"]),
        helper.make_node("DequantizeLinear", ["clipped", "scale", "zero"], ["real"]),
        helper.make_node("Neg", ["real"], ["y"]),
    ]
    sides = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 300]) for name in "xy"]
    stored = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "foreign", sides[:1], sides[1:], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    read = adopt(read_onnx(model.SerializeToString(), batch=2))
    (grid,) = {read.tensors[node.inputs[0]].quant for node in read.nodes if node.op == "Neg"}
    assert (str(grid.format), grid.zero_point) == (expected, (7,))
    x = {"x": np.linspace(-30, 90, 600, dtype=np.float32).reshape(2, 300)}
    (product,) = ReferenceEvaluator(model).run(None, x)
    machine = hwsim.accelerator("edge_16x16")
    np.testing.assert_array_equal(every_tensor(read, machine, x)["y"], product)
