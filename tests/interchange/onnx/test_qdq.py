"""QuantizeLinear and DequantizeLinear: grids on tensors, codes on constants, real-valued tensors between."""

import ml_dtypes
import numpy as np
import pytest
from onnx import TensorProto
from onnx.defs import onnx_opset_version

import hwsim
from hwsim.errors import GraphError
from hwsim.graph import runs_on_array
from hwsim.graph.fusion import adopt
from hwsim.interchange.onnx import read_onnx
from hwsim.numerics.granularity import Granularity
from hwsim.quantization import prepare

RNG = np.random.default_rng(0)
ZERO = np.uint8(0)


def message(model, **options):
    with pytest.raises(GraphError) as caught:
        read_onnx(model, **options)
    return str(caught.value)


def qdq(constants, name, x, y, scale, zero_point=ZERO):
    """Nodes that quantize ``x`` to ``NAME_q`` and dequantize it to ``y``."""
    constants |= {f"{name}_s": np.float32(scale), f"{name}_z": zero_point}
    operands = [f"{name}_s", f"{name}_z"]
    return [("QuantizeLinear", [x, *operands], [f"{name}_q"]), ("DequantizeLinear", [f"{name}_q", *operands], [y])]


def conv_model(build, *, bias_scale=None, weight=None):
    """x -> QDQ -> Conv with dequantized weight and bias -> Relu -> QDQ -> y."""
    weight = RNG.integers(-127, 128, (4, 3, 3, 3)).astype(np.int8) if weight is None else weight
    constants = {"w_q": weight, "w_s": np.array([0.1, 0.2, 0.3, 0.4], np.float32), "w_z": np.zeros(4, np.int8)}
    nodes = qdq(constants, "x", "x", "x_real", 0.5, np.uint8(3))
    nodes += [("DequantizeLinear", ["w_q", "w_s", "w_z"], ["w"], {"axis": 0})]
    inputs = ["x_real", "w"]
    if bias_scale is not None:
        constants |= {"b_q": np.array([100, -200, 300, -400], np.int32), "b_s": bias_scale}
        nodes += [("DequantizeLinear", ["b_q", "b_s"], ["b"], {"axis": 0})]
        inputs.append("b")
    nodes += [("Conv", inputs, ["c"]), ("Relu", ["c"], ["r"])]
    nodes += qdq(constants, "y", "r", "y", 0.25, np.uint8(0))
    return build(nodes, {"x": [1, 3, 6, 6]}, constants=constants), constants


def test_a_quantized_convolution(build):
    model, constants = conv_model(build, bias_scale=np.float32(0.5) * np.array([0.1, 0.2, 0.3, 0.4], np.float32))
    graph = read_onnx(model)
    assert [(node.op, node.inputs, node.outputs) for node in graph.nodes] == [
        ("Quantize", ("x",), ("x_q",)),
        ("Conv", ("x_q", "w_q", "b_q"), ("c",)),
        ("Relu", ("c",), ("r",)),
        ("Quantize", ("r",), ("y",)),
    ]
    x, w, b, y = (graph.tensors[name] for name in ("x_q", "w_q", "b_q", "y"))
    assert (str(x.quant.format), x.quant.scale, x.quant.zero_point) == ("uint8", (0.5,), (3,))
    assert w.quant.granularity == Granularity(axis=0)
    assert w.codes.dtype == np.int8
    np.testing.assert_array_equal(w.codes, constants["w_q"])
    np.testing.assert_array_equal(w.data, constants["w_q"] * constants["w_s"].reshape(4, 1, 1, 1))
    assert not w.codes.flags.writeable
    assert not w.data.flags.writeable
    np.testing.assert_array_equal(b.codes, constants["b_q"])
    assert y.quant.scale == (0.25,)
    assert graph.tensors["c"].quant is None
    assert graph.notes == ()
    assert graph.code_inputs == ()


def test_preparing_fuses_it_into_one_operator(build):
    graph = prepare(read_onnx(conv_model(build)[0]))
    assert [(node.op, node.inputs[:2], node.outputs, node.clamp) for node in graph.nodes] == [
        ("Conv", ("x", "w_q"), ("y",), (0.0, None))
    ]
    assert graph.tensors["x"].quant.scale == (0.5,)


def test_a_bias_with_nearly_the_scale_of_the_product_keeps_its_codes(build):
    exact = np.float32(0.5) * np.array([0.1, 0.2, 0.3, 0.4], np.float32)
    graph = read_onnx(conv_model(build, bias_scale=np.nextafter(exact, np.float32(1)))[0])
    bias = graph.tensors[graph.node_of["Conv_c"].inputs[2]]
    assert bias.codes.tolist() == [100, -200, 300, -400]
    assert bias.quant.scale == tuple(exact.tolist())
    assert graph.notes == ()


def test_a_bias_with_another_scale_is_encoded_again(build):
    graph = read_onnx(conv_model(build, bias_scale=np.full(4, 0.07, np.float32))[0])
    bias = graph.tensors[graph.node_of["Conv_c"].inputs[2]]
    product = 0.5 * np.array([0.1, 0.2, 0.3, 0.4])
    np.testing.assert_array_equal(bias.codes, np.rint(np.array([100, -200, 300, -400]) * 0.07 / product))
    assert str(bias.quant.format) == "int32"
    assert graph.notes == (
        "the bias of 'Conv_c' has other scales than its product and is encoded again on the product's int32 grid",
    )


def test_a_weight_quantized_in_the_file(build):
    """Quantizing and dequantizing a constant gives codes too."""
    weight = RNG.standard_normal((3, 5)).astype(np.float32)
    constants = {"w": weight}
    nodes = qdq(constants, "x", "x", "x_real", 0.5) + qdq(constants, "w", "w", "w_real", 0.02, np.int8(0))
    graph = read_onnx(build([*nodes, ("MatMul", ["x_real", "w_real"], ["y"])], {"x": [2, 3]}, constants=constants))
    tensor = graph.tensors["w_q"]
    np.testing.assert_array_equal(tensor.codes, np.clip(np.rint(weight / np.float32(0.02)), -128, 127))
    assert graph.nodes[-1].inputs == ("x_q", "w_q")


def test_moved_weights_keep_their_codes(build):
    """Exporters transpose behind DequantizeLinear; Gemm's transB and Unsqueeze are the same."""
    codes = RNG.integers(-7, 8, (5, 3)).astype(np.int8)
    constants = {"w_q": codes, "w_s": np.arange(1, 6).astype(np.float32), "axes": np.array([0])}
    nodes = qdq(constants, "x", "x", "x_real", 0.5)
    nodes += [
        ("DequantizeLinear", ["w_q", "w_s"], ["w"], {"axis": 0}),
        ("Transpose", ["w"], ["w_t"]),
        ("MatMul", ["x_real", "w_t"], ["y"]),
        ("Gemm", ["x_real", "w"], ["z"], {"transB": 1}),
        ("Unsqueeze", ["w_t", "axes"], ["w_u"]),
        ("MatMul", ["x_real", "w_u"], ["v"]),
    ]
    graph = read_onnx(build(nodes, {"x": [2, 3]}, ("y", "z", "v"), constants))
    for output, axis, expected in (("y", 1, codes.T), ("z", 1, codes.T), ("v", 2, codes.T[None])):
        weight = graph.tensors[graph.producer_of[output].inputs[1]]
        np.testing.assert_array_equal(weight.codes, expected)
        assert weight.quant.granularity == Granularity(axis=axis)
        assert weight.quant.scale == (1, 2, 3, 4, 5)
    assert graph.notes == ()


def test_scales_that_are_reshaped_away(build):
    constants = {
        "w_q": RNG.integers(-7, 8, (4, 6)).astype(np.int8),
        "w_s": np.array([1, 2, 3, 4], np.float32),
        "shape": np.array([6, 4]),
    }
    nodes = [
        ("DequantizeLinear", ["w_q", "w_s"], ["w"], {"axis": 0}),
        ("Reshape", ["w", "shape"], ["w_r"]),
        ("MatMul", ["x", "w_r"], ["y"]),
    ]
    graph = read_onnx(build(nodes, {"x": [2, 6]}, constants=constants))
    weight = graph.tensors[graph.nodes[0].inputs[1]]
    assert weight.quant is None
    real = constants["w_q"] * constants["w_s"].reshape(4, 1)
    np.testing.assert_array_equal(weight.data, real.reshape(6, 4))
    assert graph.notes == (
        "constant 'w_q' has scales along an axis that is reshaped away; it is taken as real numbers",
    )


def test_arithmetic_on_weights_gives_real_numbers(build):
    constants = {"w_q": np.array([[4, -6]], np.int8), "s": np.float32(0.5), "f": np.float32(3)}
    nodes = [("DequantizeLinear", ["w_q", "s"], ["w"]), ("Mul", ["w", "f"], ["v"]), ("MatMul", ["x", "v"], ["y"])]
    weight = read_onnx(build(nodes, {"x": [2, 1]}, constants=constants)).tensors["v"]
    assert weight.quant is None
    assert weight.data.tolist() == [[6, -9]]


def test_one_weight_on_two_grids(build):
    constants = {"w_q": np.array([[4, -6]], np.int8), "s": np.float32(0.5), "t": np.float32(0.25)}
    nodes = [("DequantizeLinear", ["w_q", "s"], ["w"]), ("DequantizeLinear", ["w_q", "t"], ["v"])]
    nodes += [("MatMul", ["x", "w"], ["y"]), ("MatMul", ["x", "v"], ["z"])]
    graph = read_onnx(build(nodes, {"x": [2, 1]}, ("y", "z"), constants))
    weights = [graph.tensors[node.inputs[1]] for node in graph.nodes]
    assert [weight.data.tolist() for weight in weights] == [[[2, -3]], [[1, -1.5]]]
    assert [weight.codes.tolist() for weight in weights] == [[[4, -6]]] * 2


def test_quantizing_again_on_the_same_grid_needs_nothing(build):
    """As exporters write it around pooling and reshapes; on another grid it is a Quantize between two grids."""
    constants = {}
    nodes = [
        *qdq(constants, "x", "x", "a", 0.5),
        ("MaxPool", ["a"], ["m"], {"kernel_shape": [2, 2]}),
        *qdq(constants, "m", "m", "b", 0.5),
        *qdq(constants, "n", "b", "c", 0.25),
        ("Relu", ["c"], ["y"]),
    ]
    graph = read_onnx(build(nodes, {"x": [1, 2, 4, 4]}, constants=constants))
    assert [(node.op, node.inputs, node.outputs) for node in graph.nodes] == [
        ("Quantize", ("x",), ("x_q",)),
        ("MaxPool", ("x_q",), ("m",)),
        ("Quantize", ("m",), ("n_q",)),
        ("Relu", ("n_q",), ("y",)),
    ]
    assert graph.tensors["m"].quant == graph.tensors["x_q"].quant


def test_reading_codes_with_another_scale(build):
    constants = {}
    nodes = qdq(constants, "x", "x", "a", 0.5, np.uint8(10))
    constants |= {"t": np.float32(0.25), "z": np.uint8(30)}
    nodes[1] = ("DequantizeLinear", ["x_q", "t", "z"], ["a"])
    graph = read_onnx(build([*nodes, ("Relu", ["a"], ["y"])], {"x": [1, 2]}, constants=constants))
    node = graph.nodes[1]
    assert (node.op, node.inputs, node.outputs) == ("Reinterpret", ("x_q",), ("a",))
    # 0.25 (c - 30) = 0.5 * [0.5 (c - 10)] - 5
    assert (node.attributes["factor"], node.attributes["offset"]) == (0.5, -5.0)
    assert (graph.tensors["a"].quant.scale, graph.tensors["a"].quant.zero_point) == ((0.25,), (30,))


def test_scales_per_channel_of_an_activation(build):
    constants = {"s": np.array([1, 2, 4], np.float32), "z": np.array([1, 2, 3], np.uint8)}
    nodes = [
        ("QuantizeLinear", ["x", "s", "z"], ["q"]),
        ("DequantizeLinear", ["q", "s", "z"], ["r"]),
        ("Transpose", ["r"], ["t"], {"perm": [0, 2, 1]}),
        ("Flatten", ["t"], ["y"]),
    ]
    graph = read_onnx(build(nodes, {"x": [1, 3, 5]}, constants=constants))
    assert graph.tensors["q"].quant.granularity == Granularity(axis=1)
    assert graph.tensors["t"].quant.granularity == Granularity(axis=2)
    assert [node.op for node in graph.nodes] == ["Quantize", "Transpose", "Quantize", "Flatten"]
    assert graph.tensors["y"].quant is None


@pytest.mark.parametrize(("dtype", "kind", "text"), [
    ("uint8", None, "uint8"), ("int8", TensorProto.INT8, "int8"), ("uint16", TensorProto.UINT16, "uint16"),
    ("int16", TensorProto.INT16, "int16"), (ml_dtypes.int4, TensorProto.INT4, "int4"),
    (ml_dtypes.uint4, TensorProto.UINT4, "uint4"), (ml_dtypes.int2, TensorProto.INT2, "int2"),
    (ml_dtypes.uint2, TensorProto.UINT2, "uint2"), (ml_dtypes.float8_e4m3fn, TensorProto.FLOAT8E4M3FN, "fp8e4m3fn"),
    (ml_dtypes.float8_e5m2, TensorProto.FLOAT8E5M2, "fp8e5m2"), (ml_dtypes.float4_e2m1fn, TensorProto.FLOAT4E2M1, "fp4e2m1"),
    (ml_dtypes.float6_e2m3fn, getattr(TensorProto, "FLOAT6E2M3", None), "fp6e2m3"),
    (ml_dtypes.float6_e3m2fn, getattr(TensorProto, "FLOAT6E3M2", None), "fp6e3m2"),
])  # fmt: skip
@pytest.mark.parametrize("written", ["zero point", "output_dtype"])
def test_types(build, dtype, kind, text, written):
    constants, inputs, attributes = {"s": np.float32(0.5)}, ["x", "s"], {}
    if written == "zero point":
        constants["z"] = np.zeros((), dtype)
        inputs.append("z")
    elif kind is not None:
        attributes["output_dtype"] = kind
    opset, ir_version = {"uint2": (25, 13), "int2": (25, 13)}.get(text, (28, 14) if "fp6" in text else (23, 11))
    if opset > onnx_opset_version():
        pytest.skip(f"the installed onnx has operator sets up to {onnx_opset_version()}, and {text} is of {opset}")
    nodes = [("QuantizeLinear", inputs, ["q"], attributes), ("DequantizeLinear", ["q", *inputs[1:]], ["y"])]
    graph = read_onnx(build(nodes, {"x": [1, 4]}, constants=constants, opset=opset, ir_version=ir_version))
    assert str(graph.tensors["y"].quant.format) == text


@pytest.mark.parametrize("saturate", [0, 1])
def test_saturation_of_floating_point(build, saturate):
    constants = {"s": np.float32(0.5), "z": np.zeros((), ml_dtypes.float8_e5m2)}
    nodes = [
        ("QuantizeLinear", ["x", "s", "z"], ["q"], {"saturate": saturate}),
        ("DequantizeLinear", ["q", "s", "z"], ["y"]),
    ]
    graph = read_onnx(build(nodes, {"x": [1, 4]}, constants=constants, opset=19))
    assert [node.op for node in graph.nodes] == ["Quantize"]
    assert graph.tensors["y"].quant.saturate == bool(saturate)


@pytest.mark.parametrize("block", [0, 32])
def test_blocks(build, block):
    """Weights of 4 bits with a scale per 32 of k, transposed for the product."""
    codes = RNG.integers(-8, 8, (5, 80))
    scales = RNG.uniform(0.1, 1, (5, 3)).astype(np.float32)
    if not block:
        codes, scales = codes[:, :78], scales  # the size of a block is told by the shapes: 26
    constants = {"w_q": codes.astype(ml_dtypes.int4), "s": scales}
    attributes = {"axis": 1, "block_size": block} if block else {"axis": 1}
    nodes = [
        ("DequantizeLinear", ["w_q", "s"], ["w"], attributes),
        ("Transpose", ["w"], ["t"]),
        ("MatMul", ["x", "t"], ["y"]),
    ]
    size = codes.shape[1]
    graph = read_onnx(build(nodes, {"x": [2, size]}, constants=constants, opset=21, ir_version=10))
    weight = graph.tensors[graph.nodes[0].inputs[1]]
    assert weight.quant.granularity == Granularity(axis=0, block=block or 26)
    np.testing.assert_array_equal(weight.codes, codes.T)
    np.testing.assert_array_equal(
        weight.data, (codes.astype(np.float32) * scales.repeat(block or 26, axis=1)[:, :size]).T
    )


def test_scales_that_are_quantized_themselves(build):
    """NVFP4: fp4 codes with an fp8 scale per block of 16 and one float32 scale of all."""
    codes = RNG.standard_normal((3, 32)).astype(ml_dtypes.float4_e2m1fn)
    inner = RNG.uniform(1, 4, (3, 2)).astype(ml_dtypes.float8_e4m3fn)
    constants = {"w_q": codes, "s_q": inner, "g": np.float32(0.125)}
    nodes = [
        ("DequantizeLinear", ["s_q", "g"], ["s"]),
        ("DequantizeLinear", ["w_q", "s"], ["w"], {"axis": 1, "block_size": 16}),
        ("Transpose", ["w"], ["t"]),
        ("MatMul", ["x", "t"], ["y"]),
    ]
    graph = read_onnx(build(nodes, {"x": [2, 32]}, constants=constants, opset=23, ir_version=11))
    weight = graph.tensors[graph.nodes[0].inputs[1]]
    expected = codes.astype(np.float32) * (inner.astype(np.float32) * np.float32(0.125)).repeat(16, axis=1)
    np.testing.assert_array_equal(weight.data, expected.T)
    assert (str(weight.quant.format), weight.quant.granularity) == ("fp4e2m1", Granularity(axis=0, block=16))


def test_codes_as_inputs(build):
    """An input that the file declares as integers takes codes of the grid on which its readers read it."""
    constants = {"s": np.float32(0.5), "z": np.int8(-3)}
    nodes = [("DequantizeLinear", ["x", "s", "z"], ["r"]), ("Relu", ["r"], ["y"])]
    graph = read_onnx(build(nodes, {"x": [1, 4]}, constants=constants, kinds={"x": TensorProto.INT8}))
    assert [(node.op, node.inputs) for node in graph.nodes] == [("Relu", ("x",))]
    assert (graph.tensors["x"].quant.scale, graph.tensors["x"].quant.zero_point) == ((0.5,), (-3,))
    assert graph.code_inputs == ("x",)


def test_codes_that_are_read_on_two_grids(build):
    constants = {"s": np.float32(0.5), "t": np.float32(0.25)}
    nodes = [
        ("DequantizeLinear", ["x", "s"], ["a"]),
        ("DequantizeLinear", ["x", "t"], ["b"]),
        ("Add", ["a", "b"], ["y"]),
    ]
    graph = read_onnx(build(nodes, {"x": [1, 4]}, constants=constants, kinds={"x": TensorProto.UINT8}))
    assert graph.tensors["x"].quant.scale == (1.0,)
    assert [(node.op, node.outputs) for node in graph.nodes] == [
        ("Reinterpret", ("a",)), ("Reinterpret", ("b",)), ("Add", ("y",)),
    ]  # fmt: skip


def test_half_precision_is_noted(build):
    constants = {"s": np.float16(0.5)}
    nodes = [("QuantizeLinear", ["x", "s"], ["q"]), ("DequantizeLinear", ["q", "s"], ["y"])]
    graph = read_onnx(build(nodes, {"x": [1, 4]}, constants=constants, opset=19, kinds={"x": TensorProto.FLOAT16}))
    assert [note for note in graph.notes if note.startswith("QuantizeLinear")] == [
        "QuantizeLinear computes in float32 where the file says float16: numbers next to a tie may get the neighbouring code"
    ]


def test_a_scale_computed_at_run_time(build):
    nodes = [("ReduceMean", ["x"], ["s"], {"keepdims": 0}), ("QuantizeLinear", ["x", "s"], ["q"])]
    nodes += [("DequantizeLinear", ["q", "s"], ["y"])]
    assert message(build(nodes, {"x": [1, 4]})).splitlines()[0] == (
        "small: node 'QuantizeLinear_q' (QuantizeLinear): its scale 's' is computed at run time, which only "
        "DynamicQuantizeLinear may do for MatMulInteger and ConvInteger; quantize the model statically"
    )


@pytest.mark.parametrize(("scale", "zero_point", "reason"), [
    (np.float32(0), np.uint8(0), "the grid of scale 's': quantization: scale must be positive and finite, not 0.0"),
    (np.ones(5, np.float32), np.zeros(5, np.uint8), "5 scales do not fit axis 1 of [1, 4]; one per index is needed"),
    (np.ones(4, np.float32), np.zeros(3, np.uint8), "4 scales need one zero point or as many, not 3"),
    (np.ones((1, 3), np.float32), np.zeros((1, 3), np.uint8),
     "scales of shape [1, 3] do not fit blocks of 2 along axis 1 of [1, 4]"),
    (np.float32(1), np.int64(0), "the zero point 'z' is int64, which is no code"),
])  # fmt: skip
def test_grids_that_do_not_fit(build, scale, zero_point, reason):
    nodes = [("QuantizeLinear", ["x", "s", "z"], ["q"]), ("DequantizeLinear", ["q", "s", "z"], ["y"])]
    model = build(nodes, {"x": [1, 4]}, constants={"s": scale, "z": zero_point}, opset=21, ir_version=10)
    assert message(model) == f"small: node 'QuantizeLinear_q' (QuantizeLinear): {reason}"


def test_dequantizing_real_numbers(build):
    model = build([("DequantizeLinear", ["x", "s"], ["y"])], {"x": [1, 4]}, constants={"s": np.float32(1)})
    assert message(model) == (
        "small: node 'DequantizeLinear_y' (DequantizeLinear): 'x' holds real numbers where codes are read; put "
        "QuantizeLinear before it"
    )


def test_arithmetic_on_the_integers_themselves(build):
    nodes = [("QuantizeLinear", ["x", "s"], ["q"]), ("Relu", ["q"], ["r"]), ("DequantizeLinear", ["r", "s"], ["y"])]
    model = build(nodes, {"x": [1, 4]}, constants={"s": np.float32(1)})
    assert message(model) == (
        "small: node 'Relu_r' (Relu): it computes with the integers of 'q' as such, which is not supported; put "
        "DequantizeLinear before it"
    )


def test_blocked_weights_beside_quantized_activations_run_in_integers(build):
    """An asymmetric 4-bit weight in blocks of 16 by 8-bit activations, with a float bias: sums of the array, not float32."""
    codes, zeros = RNG.integers(0, 16, (40, 5)), RNG.integers(3, 12, (3, 5))
    scales = RNG.uniform(0.01, 0.03, (3, 5)).astype(np.float32)
    constants = {
        "w_q": codes.astype(ml_dtypes.uint4), "s": scales, "z": zeros.astype(ml_dtypes.uint4), "b": np.ones(5, np.float32),
        "x_s": np.float32(0.02), "x_z": np.uint8(100), "y_s": np.float32(0.05), "y_z": np.uint8(128),
    }  # fmt: skip
    nodes = [
        ("QuantizeLinear", ["x", "x_s", "x_z"], ["x_q"]),
        ("DequantizeLinear", ["x_q", "x_s", "x_z"], ["x_r"]),
        ("DequantizeLinear", ["w_q", "s", "z"], ["w"], {"axis": 0, "block_size": 16}),
        ("Gemm", ["x_r", "w", "b"], ["r"]),
        ("QuantizeLinear", ["r", "y_s", "y_z"], ["y_q"]),
        ("DequantizeLinear", ["y_q", "y_s", "y_z"], ["y"]),
    ]
    graph = adopt(read_onnx(build(nodes, {"x": [6, 40]}, constants=constants, opset=21, ir_version=10)))
    (product,) = (node for node in graph.nodes if node.op == "Gemm")
    assert runs_on_array(graph, product)
    x = RNG.normal(size=(6, 40)).astype(np.float32)
    result = hwsim.simulate(graph, hwsim.accelerator("edge_16x16"), {"x": x})
    assert result.layers["overflow_events"][result.layers["layer"].index(product.name)] == 0
    coded = (np.clip(np.rint(x / np.float32(0.02)) + 100, 0, 255) - 100) * 0.02
    weight = (codes - zeros.repeat(16, axis=0)[:40]) * scales.repeat(16, axis=0)[:40]
    exact = np.clip(coded @ weight.astype(float) + 1, -6.4, 6.35)
    assert np.abs(result.outputs["y"] - exact).max() <= 0.05 * 0.51
