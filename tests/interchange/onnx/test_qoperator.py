"""QLinear and Integer operators, those of com.microsoft, and integers that are moved: plain operators on grids."""

import numpy as np
import pytest
from onnx import TensorProto

import hwsim
from hwsim.errors import GraphError
from hwsim.execute.float32 import run_float
from hwsim.interchange.onnx import read_onnx
from hwsim.numerics.granularity import Granularity
from tests.integers import every_tensor

RNG = np.random.default_rng(0)
INT8 = {"x": TensorProto.INT8}


def message(model, **options):
    with pytest.raises(GraphError) as caught:
        read_onnx(model, **options)
    return str(caught.value)


class Constants(dict):
    """Constants by name; ``grid`` adds a scale and a zero point and returns their names."""

    def grid(self, name, scale, zero_point=0, dtype=np.int8):
        self |= {f"{name}_s": np.float32(scale), f"{name}_z": dtype(zero_point)}
        return [f"{name}_s", f"{name}_z"]


def qlinear_conv(constants, weight, *, bias=True):
    channels = weight.shape[0]
    constants |= {"w": weight, "w_s": np.full(channels, 0.5, np.float32), "w_z": np.zeros(channels, np.int8)}
    inputs = ["x", *constants.grid("x", 0.25, 4), "w", "w_s", "w_z", *constants.grid("y", 2, -7)]
    if bias:
        constants["b"] = np.arange(channels).astype(np.int32)
        inputs.append("b")
    return "QLinearConv", inputs, ["y"]


def test_qlinear_conv(build):
    constants = Constants()
    weight = RNG.integers(-128, 128, (4, 3, 3, 3)).astype(np.int8)
    graph = read_onnx(build([qlinear_conv(constants, weight)], {"x": [1, 3, 6, 6]}, constants=constants, kinds=INT8))
    assert [(node.name, node.op, node.inputs, node.outputs) for node in graph.nodes] == [
        ("QLinearConv_y", "Conv", ("x", "w", "b"), ("y",))
    ]
    x, w, b, y = (graph.tensors[name].quant for name in "xwby")
    assert (x.scale, x.zero_point) == ((0.25,), (4,))
    assert (w.scale, w.granularity) == ((0.5,) * 4, Granularity(axis=0))
    assert (str(b.format), b.scale, b.zero_point) == ("int32", (0.125,) * 4, (0,) * 4)
    assert (y.scale, y.zero_point) == ((2.0,), (-7,))
    np.testing.assert_array_equal(graph.tensors["w"].codes, weight)
    assert graph.code_inputs == ("x",)


def test_one_spatial_dimension(build):
    """The result's grid belongs to the convolution, which the Squeeze behind it only moves."""
    constants = Constants()
    model = build(
        [qlinear_conv(constants, np.ones((4, 3, 3), np.int8), bias=False)],
        {"x": [1, 3, 6]},
        constants=constants,
        kinds=INT8,
    )
    graph = read_onnx(model)
    assert [node.op for node in graph.nodes] == ["Unsqueeze", "Conv", "Squeeze"]
    assert graph.tensors["y/lifted"].quant == graph.tensors["y"].quant
    assert graph.tensors["y"].quant.zero_point == (-7,)
    assert graph.tensors["y/unsqueezed"].quant.scale == (0.25,)


def test_a_reader_with_another_scale(build):
    constants = Constants()
    nodes = [
        ("com.microsoft.QLinearSigmoid", ["x", *constants.grid("x", 0.25), *constants.grid("m", 0.5)], ["m"]),
        ("com.microsoft.QLinearAdd", ["m", *constants.grid("a", 0.125, 8), "m", *constants.grid("b", 0.5),
                                      *constants.grid("y", 1)], ["y"]),
    ]  # fmt: skip
    graph = read_onnx(build(nodes, {"x": [1, 4]}, constants=constants, kinds=INT8))
    assert [(node.op, node.inputs, node.outputs) for node in graph.nodes] == [
        ("Sigmoid", ("x",), ("m",)),
        ("Reinterpret", ("m",), ("m/read",)),
        ("Add", ("m/read", "m"), ("y",)),
    ]
    assert (graph.nodes[1].attributes["factor"], graph.nodes[1].attributes["offset"]) == (0.25, -1.0)


def test_one_bias_in_two_units(build):
    """The same int32 constant stands for other numbers in another product."""
    constants = Constants()
    first = qlinear_conv(constants, np.ones((3, 3, 1, 1), np.int8))
    second = ("QLinearConv", ["y", *constants.grid("y", 2, -7), "w", "w_s", "w_z", *constants.grid("z", 1), "b"], ["z"])
    graph = read_onnx(build([first, second], {"x": [1, 3, 4, 4]}, ("z",), constants=constants, kinds=INT8))
    biases = [graph.tensors[node.inputs[2]] for node in graph.nodes]
    assert [bias.quant.scale[0] for bias in biases] == [0.125, 1.0]
    assert [bias.codes.tolist() for bias in biases] == [[0, 1, 2]] * 2
    assert graph.nodes[0].inputs[1] == graph.nodes[1].inputs[1] == "w"


def test_qlinear_matmul_per_column(build):
    constants = Constants(w=np.ones((4, 3), np.int8), w_s=np.array([1, 2, 3], np.float32), w_z=np.zeros(3, np.int8))
    inputs = ["x", *constants.grid("x", 0.25), "w", "w_s", "w_z", *constants.grid("y", 2)]
    graph = read_onnx(build([("QLinearMatMul", inputs, ["y"])], {"x": [2, 4]}, constants=constants, kinds=INT8))
    assert graph.nodes[0].op == "MatMul"
    assert graph.tensors["w"].quant.granularity == Granularity(axis=1)


def test_a_scale_per_row_of_the_left_operand(build):
    constants = Constants(w=np.ones((4, 3), np.int8), x_s=np.ones(2, np.float32), x_z=np.zeros(2, np.int8))
    inputs = ["x", "x_s", "x_z", "w", *constants.grid("w", 1), *constants.grid("y", 2)]
    model = build([("QLinearMatMul", inputs, ["y"])], {"x": [2, 4]}, constants=constants, kinds=INT8)
    assert message(model) == (
        "small: node 'QLinearMatMul_y' (QLinearMatMul): one scale is supported for this operand, not 2; quantize it per tensor"
    )


@pytest.mark.parametrize("real", [False, True])
def test_qgemm(build, real):
    """alpha goes into the scale of the left operand; without a result scale the result is real."""
    constants = Constants(w=np.ones((3, 4), np.int8), b=np.array([[5, 6, 7]], np.int32))
    inputs = ["x", *constants.grid("x", 0.25, 3), "w", *constants.grid("w", 2), "b"]
    inputs += [] if real else constants.grid("y", 1)
    kind = {"transB": 1, "alpha": 0.5}
    model = build([("com.microsoft.QGemm", inputs, ["y"], kind)], {"x": [2, 4]}, constants=constants, kinds=INT8)
    graph = read_onnx(model)
    gemm = graph.producer_of["y"]
    x, weight, bias = (graph.tensors[name] for name in gemm.inputs)
    assert gemm.op == "Gemm"
    assert (x.quant.scale, x.quant.zero_point) == ((0.125,), (3,))
    assert weight.shape == (4, 3)
    assert (bias.codes.tolist(), bias.quant.scale) == ([5, 6, 7], (0.25,))
    assert (graph.tensors["y"].quant is None) == real


@pytest.mark.parametrize("op", ["QLinearAveragePool", "QLinearGlobalAveragePool", "QLinearLeakyRelu", "QLinearSoftmax"])
def test_operators_of_one_operand(build, op):
    constants = Constants()
    attributes = {"QLinearAveragePool": {"kernel_shape": [2, 2]}, "QLinearSoftmax": {"axis": 1, "opset": 13}}.get(
        op, {}
    )
    inputs = ["x", *constants.grid("x", 0.25), *constants.grid("y", 0.125, -128)]
    model = build(
        [(f"com.microsoft.{op}", inputs, ["y"], attributes)], {"x": [1, 2, 4, 4]}, constants=constants, kinds=INT8
    )
    graph = read_onnx(model)
    assert [node.op for node in graph.nodes] == [op.removeprefix("QLinear")]
    assert graph.tensors["y"].quant.zero_point == (-128,)


def test_softmax_of_old_operator_sets(build):
    """It flattens before operator set 13: the grid belongs to the Softmax, not only to the Reshape behind it."""
    constants = Constants()
    inputs = ["x", *constants.grid("x", 0.25), *constants.grid("y", 0.125)]
    node = ("com.microsoft.QLinearSoftmax", inputs, ["y"], {"axis": 1, "opset": 11})
    graph = read_onnx(build([node], {"x": [1, 2, 4]}, constants=constants, kinds=INT8))
    assert [node.op for node in graph.nodes] == ["Flatten", "Softmax", "Reshape"]
    assert [graph.tensors[node.outputs[0]].quant.scale[0] for node in graph.nodes] == [0.25, 0.125, 0.125]


def test_channels_last(build):
    constants = Constants()
    inputs = ["x", *constants.grid("x", 0.25), *constants.grid("y", 0.125)]
    node = ("com.microsoft.QLinearGlobalAveragePool", inputs, ["y"], {"channels_last": 1})
    assert message(build([node], {"x": [1, 2, 4, 4]}, constants=constants, kinds=INT8)).endswith(
        "channels_last=1 is not supported; export the model with channels first"
    )


def test_concat(build):
    constants = Constants(k=np.ones((1, 1, 4), np.int8))
    inputs = [*constants.grid("y", 1), "x", *constants.grid("x", 0.25), "k", *constants.grid("k", 0.5)]
    graph = read_onnx(
        build(
            [("com.microsoft.QLinearConcat", inputs, ["y"], {"axis": 1})],
            {"x": [1, 2, 4]},
            constants=constants,
            kinds=INT8,
        )
    )
    assert [(node.op, node.inputs) for node in graph.nodes] == [("Concat", ("x", "k"))]
    assert [graph.tensors[name].quant.scale[0] for name in "xky"] == [0.25, 0.5, 1.0]


def test_integer_products(build):
    constants = {"w": np.ones((4, 3), np.uint8), "x_z": np.int8(3), "w_z": np.array([1, 2, 3], np.uint8)}
    model = build(
        [("MatMulInteger", ["x", "w", "x_z", "w_z"], ["m"]), ("Cast", ["m"], ["y"], {"to": TensorProto.FLOAT})],
        {"x": [2, 4]}, constants=constants, kinds=INT8,
    )  # fmt: skip
    graph = read_onnx(model)
    assert [(node.op, node.inputs, node.outputs) for node in graph.nodes] == [("MatMul", ("x", "w"), ("y",))]
    x, w, y = (graph.tensors[name].quant for name in "xwy")
    assert (x.scale, x.zero_point) == ((1.0,), (3,))
    assert (w.scale, w.zero_point, w.granularity) == ((1.0,) * 3, (1, 2, 3), Granularity(axis=1))
    assert (str(y.format), y.scale, y.zero_point) == ("int32", (1.0,), (0,))


def test_integers_are_moved(build):
    constants = Constants(shape=np.array([1, -1]), pads=np.array([0, 1, 0, 0]), fill=np.int8(9))
    nodes = [
        ("Flatten", ["x"], ["f"]),
        ("Pad", ["f", "pads", "fill"], ["p"]),
        ("Concat", ["p", "p"], ["c"], {"axis": 1}),
        ("DequantizeLinear", ["c", *constants.grid("x", 0.5, 4)], ["y"]),
    ]
    graph = read_onnx(build(nodes, {"x": [1, 2, 3]}, constants=constants, kinds=INT8))
    assert [node.op for node in graph.nodes] == ["Flatten", "Pad", "Concat", "Reinterpret"]
    assert graph.node_of["Pad_p"].attributes["value"] == 9.0
    assert all(graph.tensors[name].quant.scale == (1.0,) for name in "xfpc")
    assert graph.tensors["y"].quant.scale == (0.5,)


def test_a_pad_value_is_a_code(build):
    """On a grid of scale 0.5 and zero point 4 the code 9 stands for 2.5, and a missing one, 0, for -2."""
    for fill, expected in ((["fill"], 2.5), ([], -2.0)):
        constants = Constants(pads=np.array([0, 1, 0, 0]), fill=np.int8(9))
        nodes = [
            ("QuantizeLinear", ["x", *constants.grid("x", 0.5, 4)], ["q"]),
            ("Pad", ["q", "pads", *fill], ["p"]),
            ("DequantizeLinear", ["p", "x_s", "x_z"], ["y"]),
        ]
        graph = read_onnx(build(nodes, {"x": [1, 3]}, constants=constants))
        assert graph.nodes[1].attributes["value"] == expected
        assert graph.tensors["y"].quant.zero_point == (4,)


def test_integers_on_two_grids_are_joined_as_integers(build):
    constants = Constants()
    nodes = [
        ("QuantizeLinear", ["x", *constants.grid("a", 0.5, 4)], ["a"]),
        ("QuantizeLinear", ["x", *constants.grid("b", 0.25)], ["b"]),
        ("Concat", ["a", "b"], ["c"], {"axis": 1}),
        ("DequantizeLinear", ["c", *constants.grid("c", 2)], ["y"]),
    ]
    graph = read_onnx(build(nodes, {"x": [1, 3]}, constants=constants))
    assert [node.op for node in graph.nodes] == [
        "Quantize",
        "Quantize",
        "Reinterpret",
        "Reinterpret",
        "Concat",
        "Reinterpret",
    ]
    assert graph.tensors["c"].quant.scale == (1.0,)


def test_an_interpolation_of_integers(build):
    constants = Constants(scales=np.array([1, 1, 2, 2], np.float32))
    nodes = [
        ("Resize", ["x", "", "scales"], ["r"], {"mode": "linear"}),
        ("DequantizeLinear", ["r", *constants.grid("x", 0.5)], ["y"]),
    ]
    graph = read_onnx(build(nodes, {"x": [1, 2, 4, 4]}, constants=constants, kinds=INT8))
    assert [node.op for node in graph.nodes] == ["Resize", "Reinterpret"]
    plain = graph.tensors["r"].quant
    assert graph.tensors["x"].quant == plain
    codes = RNG.integers(-128, 128, (3, 2, 4, 4)).astype(np.int8)
    got = every_tensor(graph, hwsim.accelerator("edge_16x16"), {"x": codes})["y"]
    np.testing.assert_array_equal(got, plain.encode(run_float(graph, {"x": codes}, keep=["r"])["r"]))
    assert len(np.unique(got)) > 50


@pytest.mark.parametrize("kind", ["constant", "input"])
def test_a_mask_chooses_between_codes(build, kind):
    """Exactly: each operand is moved to the grid of the result, whichever is chosen."""
    constants = Constants()
    grids = [*constants.grid("x", 0.5, 3), "v", *constants.grid("v", 0.3, -5), *constants.grid("y", 0.4, 1)]
    mask = RNG.integers(0, 2, (1, 6, 7)).astype(bool)
    shapes = {"x": [1, 6, 7], "v": [1, 6, 7]}
    kinds = {"x": TensorProto.INT8, "v": TensorProto.INT8, "mask": TensorProto.BOOL}
    if kind == "constant":
        constants["mask"] = mask
    else:
        shapes["mask"] = [1, 6, 7]
    node = ("com.microsoft.QLinearWhere", ["mask", "x", *grids], ["y"])
    graph = read_onnx(build([node], shapes, constants=constants, kinds=kinds))
    (where,) = graph.nodes
    assert (where.op, where.inputs[:2]) == ("Where", ("x", "v"))
    x, v, y = (graph.tensors[name].quant for name in "xvy")
    assert (x.scale, v.scale, y.scale) == tuple((float(np.float32(s)),) for s in (0.5, 0.3, 0.4))
    codes = {name: RNG.integers(-128, 128, (1, 6, 7)).astype(np.int8) for name in "xv"}
    inputs = codes | ({"mask": mask} if kind == "input" else {})
    got = every_tensor(graph, hwsim.accelerator("edge_16x16"), inputs)["y"]
    np.testing.assert_array_equal(got, np.where(mask, y.encode(x.decode(codes["x"])), y.encode(v.decode(codes["v"]))))


def test_a_mask_of_codes_is_refused(build):
    constants = Constants()
    grids = [*constants.grid("x", 0.5), "x", *constants.grid("v", 0.5), *constants.grid("y", 0.5)]
    node = ("com.microsoft.QLinearWhere", ["mask", "x", *grids], ["y"])
    kinds = {"x": TensorProto.INT8, "mask": TensorProto.UINT8}
    model = build([node], {"x": [1, 4], "mask": [1, 4]}, constants=constants, kinds=kinds)
    assert "the condition 'mask' holds codes; it must be true or false" in message(model)


@pytest.mark.parametrize(("kind", "to", "text"), [
    (TensorProto.FLOAT, TensorProto.INT8, "int8"), (TensorProto.INT8, TensorProto.INT32, "int32"),
    (TensorProto.FLOAT, TensorProto.FLOAT8E4M3FN, "fp8e4m3fn"), (TensorProto.UINT4, TensorProto.UINT8, "uint8"),
])  # fmt: skip
def test_casts(build, kind, to, text):
    model = build([("Cast", ["x"], ["y"], {"to": to})], {"x": [1, 4]}, kinds={"x": kind}, opset=21, ir_version=10)
    quant = read_onnx(model).tensors["y"].quant
    assert (str(quant.format), quant.scale, quant.zero_point) == (text, (1.0,), (0,))


def test_a_cast_cuts_towards_zero(build):
    model = build([("Cast", ["x"], ["y"], {"to": TensorProto.INT8})], {"x": [1, 6]})
    values = np.array([[-2.5, -1.7, -0.5, 0.5, 1.5, 99.9]], np.float32)
    grid = read_onnx(model).tensors["y"].quant
    assert grid.encode(values).tolist() == values.astype(np.int8).tolist() == [[-2, -1, 0, 0, 1, 99]]


def test_a_cast_that_drops_bits(build):
    model = build([("Cast", ["x"], ["y"], {"to": TensorProto.INT8})], {"x": [1, 4]}, kinds={"x": TensorProto.INT32})
    assert message(model) == (
        "small: node 'Cast_y' (Cast): a cast of int32 codes to int8, which drops high bits, is not supported; dequantize them"
    )


def test_types_that_differ(build):
    constants = Constants(w=np.ones((4, 3), np.int8))
    inputs = ["x", *constants.grid("x", 1, 0, np.uint8), "w", *constants.grid("w", 1), *constants.grid("y", 2)]
    model = build([("QLinearMatMul", inputs, ["y"])], {"x": [2, 4]}, constants=constants, kinds=INT8)
    assert message(model) == (
        "small: node 'QLinearMatMul_y' (QLinearMatMul): 'x' holds int8 codes, and is read as uint8 codes; the types must be "
        "equal"
    )
