"""What a file says is what the graph holds: names, shapes, grids, codes and notes."""

import numpy as np
import pytest

import hwsim
from hwsim.errors import GraphError
from hwsim.execute.float32 import run_float
from hwsim.graph import runs_on_array
from hwsim.interchange.tflite import placed_tensors, read_tflite
from hwsim.numerics.rounding import Rounding
from tests.interchange.tflite import cases
from tests.interchange.tflite.builder import File

ALL = [(case, kind) for case, kinds in cases.CASES.items() for kind in kinds]
CONV = {"Padding": 0, "StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1}


@pytest.mark.parametrize(("case", "kind"), ALL, ids=[f"{case.__name__}-{kind}" for case, kind in ALL])
def test_every_tensor_has_the_shape_and_grid_of_the_file(case, kind):
    for seed in range(2):
        data, draw = cases.model(case, kind, seed)
        batch = draw.file.tensors[draw.file.inputs[0]]["shape"][0]
        graph, placed = read_tflite(data, batch=batch), placed_tensors(data, batch=batch)
        computed = {number for _, _, outputs, *_ in draw.file.operators for number in outputs}
        assert placed.keys() == computed | set(draw.file.inputs)
        for number, at in placed.items():
            row, tensor = draw.file.tensors[number], graph.tensors[at.name]
            assert at.name == row["name"]
            assert tuple(row["shape"][axis] for axis in at.permutation) == tensor.shape
            assert at.in_file_layout(np.empty(tensor.shape)).shape == row["shape"]
            if row["scale"] is None:
                assert tensor.quant is None
            else:
                assert str(tensor.quant.format) == row["kind"].lower()
                assert tensor.quant.scale == tuple(row["scale"].tolist())
                assert tensor.quant.zero_point == tuple(row["zero_point"].tolist())
                assert tensor.quant.rounding is Rounding.HALF_AWAY


def small(kind="INT8", weight="INT8", *, scale=(0.01, 0.02, 0.03), bias="INT32", axis=0, bias_axis=0):
    """A convolution of three channels."""
    f = File()
    x = f.input("x", (1, 4, 5, 2), kind, *(() if kind == "FLOAT32" else (0.5, 0 if kind == "INT16" else 3)))
    w = f.constant("w", np.arange(-27, 27).reshape(3, 3, 3, 2) % 7, weight, scale=scale, axis=axis)
    b = f.constant("b", [1, -2, 3], bias, scale=None if bias == "FLOAT32" else (0.005, 0.01, 0.015), axis=bias_axis)
    y = f.tensor("y", (1, 4, 5, 3), kind, *(() if kind == "FLOAT32" else (0.25, 0)))
    f.operator("CONV_2D", [x, w, b], [y], "Conv2DOptions", **CONV)
    return f.build([y])


@pytest.mark.parametrize("bias_axis", [0, 3])  # old converters write 3
def test_codes_of_weights_and_biases_stay(bias_axis):
    graph = read_tflite(small(bias_axis=bias_axis))
    weight, bias = (graph.tensors[name] for name in graph.nodes[0].inputs[1:])
    want = (np.arange(-27, 27).reshape(3, 3, 3, 2) % 7).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(weight.encoded(), want)
    assert weight.quant.granularity.axis == 0
    assert bias.encoded().tolist() == [1, -2, 3]
    assert (str(bias.quant.format), bias.quant.granularity.axis) == ("int32", 0)
    np.testing.assert_allclose(bias.quant.scale, np.float32([0.01, 0.02, 0.03]) * np.float32(0.5), rtol=1e-7)
    assert runs_on_array(graph, graph.nodes[0])
    assert graph.code_inputs == ("x",)


def test_a_bias_of_64_bits_says_so():
    graph = read_tflite(small("INT16", bias="INT64"))
    assert str(graph.tensors[graph.nodes[0].inputs[2]].quant.format) == "int64"


def test_weights_of_4_bits_are_unpacked_low_half_first():
    graph = read_tflite(small(weight="INT4"))
    weight = graph.tensors[graph.nodes[0].inputs[1]]
    assert str(weight.quant.format) == "int4"
    np.testing.assert_array_equal(weight.encoded(), (np.arange(-27, 27).reshape(3, 3, 3, 2) % 7).transpose(0, 3, 1, 2))


def test_integer_weights_behind_real_activations_are_a_float_island_with_a_note():
    graph = read_tflite(small("FLOAT32", bias="FLOAT32"))
    assert not runs_on_array(graph, graph.nodes[0])
    assert any("integer weights and real-valued activations" in note for note in graph.notes)
    weight = graph.tensors[graph.nodes[0].inputs[1]]
    decoded = weight.encoded() * np.float32([0.01, 0.02, 0.03]).reshape(3, 1, 1, 1)
    np.testing.assert_array_equal(weight.data, decoded)
    x = np.random.default_rng(0).standard_normal((1, 2, 4, 5)).astype(np.float32)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    want = np.float32([1, -2, 3]).reshape(3, 1) + np.array(
        [[(padded[0, :, i : i + 3, j : j + 3] * w).sum() for i in range(4) for j in range(5)] for w in decoded]
    )
    np.testing.assert_allclose(run_float(graph, {"x": x})["y"].reshape(3, -1), want, rtol=1e-4, atol=1e-5)


def test_a_quantized_file_names_the_runtime_and_a_real_valued_one_does_not():
    quantized, real = read_tflite(small()), read_tflite(cases.model(cases.conv, "FLOAT32", 0)[0])
    assert any("--runtime tflite" in note for note in quantized.notes)
    assert not any("--runtime" in note for note in real.notes)
    assert not real.is_quantized
    assert real.file_layouts == {"x": (0, 3, 1, 2), "y": (0, 3, 1, 2)}


def test_real_activations_are_nodes_so_that_quantization_can_fuse_them():
    for seed in range(8):
        data, draw = cases.model(cases.conv, "FLOAT32", seed)
        graph = read_tflite(data)
        wanted = {0: ["Conv"], 1: ["Conv", "Relu"], 2: ["Conv", "Clip"], 3: ["Conv", "Clip"]}
        assert [node.op for node in graph.nodes] == wanted[draw.file.operators[0][4]["FusedActivationFunction"]]
        assert graph.outputs == ("y",)


def test_load_reads_the_file(tmp_path):
    path = tmp_path / "small.tflite"
    path.write_bytes(small())
    graph = hwsim.load(path)
    assert graph.name == "small"
    assert graph.nodes[0].name == "y"


def test_repeated_and_missing_names_become_unique():
    f = File()
    x = f.input("", (2, 3), "FLOAT32")
    first, second = f.tensor("t", (2, 3), "FLOAT32"), f.tensor("t", (2, 3), "FLOAT32")
    f.operator("RELU", [x], [first])
    f.operator("EXP", [first], [second])
    graph = read_tflite(f.build([second]))
    assert (graph.inputs, graph.outputs) == (("tensor:0",), ("t:2",))
    assert [node.name for node in graph.nodes] == ["t", "t:2"]


def test_weights_of_half_precision_become_float32():
    f = File()
    x = f.input("x", (2, 3), "FLOAT32")
    half = f.constant("half", [[0.5, 1.25, -3], [1, 2, 3]], "FLOAT16")
    w = f.tensor("w", (2, 3), "FLOAT32")
    y = f.tensor("y", (2, 2), "FLOAT32")
    f.operator("DEQUANTIZE", [half], [w])
    f.operator("FULLY_CONNECTED", [x, w], [y], "FullyConnectedOptions")
    graph = read_tflite(f.build([y]))
    assert [node.op for node in graph.nodes] == ["Gemm"]
    got = run_float(graph, {"x": np.float32([[1, 2, 3], [0, 1, 0]])})["y"]
    assert got.tolist() == [[-6, 14], [1.25, 2]]


def test_dequantized_weights_keep_their_codes():
    f = File()
    x = f.input("x", (2, 3), "FLOAT32")
    codes = f.constant("codes", [[1, 2, 3], [4, 5, -6]], "INT8", scale=[0.5, 0.25])
    w = f.tensor("w", (2, 3), "FLOAT32")
    y = f.tensor("y", (2, 2), "FLOAT32")
    f.operator("DEQUANTIZE", [codes], [w])
    f.operator("FULLY_CONNECTED", [x, w], [y], "FullyConnectedOptions")
    graph = read_tflite(f.build([y]))
    weight = graph.tensors[graph.nodes[0].inputs[1]]
    assert weight.encoded().tolist() == [[1, 4], [2, 5], [3, -6]]
    assert weight.quant.granularity.axis == 1
    assert graph.tensors[weight.name].bits == 8


def test_codes_that_move_to_another_grid_are_read_anew():
    """The runtime copies the codes of a Reshape, whatever grid the file writes behind it."""
    f = File()
    x = f.input("x", (2, 3), "INT8", 0.5, 3)
    y = f.tensor("y", (2, 1, 3), "INT8", 0.25, -4)
    f.operator("RESHAPE", [x, f.constant("shape", [2, 1, 3])], [y])
    graph = read_tflite(f.build([y]))
    assert [node.op for node in graph.nodes] == ["Reshape", "Reinterpret"]
    real = graph.tensors["x"].quant.decode(np.int8([[1, 2, 3], [4, 5, 6]]))
    got = graph.tensors["y"].quant.encode(run_float(graph, {"x": real})["y"])
    assert got.tolist() == [[[1, 2, 3]], [[4, 5, 6]]]


def test_a_result_that_is_an_input_or_a_constant():
    f = File()
    x = f.input("x", (2, 3), "FLOAT32")
    c = f.constant("c", [1.0, 2.0], "FLOAT32")
    y = f.tensor("y", (2, 3), "FLOAT32")
    f.operator("RELU", [x], [y])
    graph = read_tflite(f.build([y, c]))
    results = run_float(graph, {"x": np.float32([[1, -1, 2], [0, 3, -4]])})
    assert [results[name].tolist() for name in graph.outputs] == [[[1, 0, 2], [0, 3, 0]], [1, 2]]


@pytest.mark.parametrize("beta", [0.5, 2.0])
def test_beta_of_a_softmax_scales_the_grid_of_its_input(beta):
    f = File()
    x = f.input("x", (2, 3), "INT8", 0.5, 3)
    y = f.tensor("y", (2, 3), "INT8", 1 / 256, -128)
    f.operator("SOFTMAX", [x], [y], "SoftmaxOptions", Beta=beta)
    graph = read_tflite(f.build([y]))
    assert [node.op for node in graph.nodes] == ["Reinterpret", "Softmax"]
    assert graph.tensors[graph.nodes[1].inputs[0]].quant.scale == (0.5 * beta,)
    real = np.float32([[1, 2, 3], [0, 0, -4]])
    want = np.exp(beta * real) / np.exp(beta * real).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(run_float(graph, {"x": real})["y"], want, rtol=1e-6)


def test_sums_by_shifts_alone_are_refused():
    f = File()
    x = f.input("x", (2, 3), "INT16", 0.5)
    y = f.tensor("y", (2, 3), "INT16", 0.5)
    f.operator("ADD", [x, x], [y], "AddOptions")  # pot_scale_int16 is on unless it is written
    with pytest.raises(GraphError, match="pot_scale_int16 are added by shifts alone"):
        read_tflite(f.build([y]))
