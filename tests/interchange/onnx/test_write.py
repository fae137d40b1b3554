"""Quantized graphs written as ONNX QDQ: what ONNX's reference computes from the file is what the integers say."""

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

import hwsim
from hwsim.errors import GraphError
from hwsim.graph import OPS, Graph, Node, Tensor
from hwsim.interchange.onnx import read_onnx, write_qdq
from hwsim.interchange.onnx.write.codes import packed
from hwsim.interchange.onnx.write.nodes import EMITTERS, PLAIN
from hwsim.numerics.formats import IntFormat, parse_format
from hwsim.numerics.granularity import Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.rounding import Rounding
from tests.integers import every_tensor

MACHINE = hwsim.accelerator("edge_16x16", overrides=["datapath.psum=exact", "datapath.requantizer=float32"])
IMAGE, ROW = [2, 4, 6, 6], [2, 12]


def reference(path, inputs):
    model = onnx.load(path)
    names = [value.name for value in model.graph.output]
    return dict(zip(names, ReferenceEvaluator(model).run(None, inputs), strict=True))


def same_codes(graph, path, inputs):
    """Whether the file gives the integers: one code may be the next one, where float32 sums fall on the other side of a tie."""
    expected = every_tensor(graph, MACHINE, inputs)
    for name, value in reference(path, inputs).items():
        apart = graph.tensors[name].quant.encode(value).astype(np.int64) - expected[name].astype(np.int64)
        if np.abs(apart).max() > 1 or np.count_nonzero(apart) > 1:
            return False
    return True


def images(shape, count=4, seed=0):  # as many as channels: the reference of LRN loops over the wrong one
    rng = np.random.default_rng(seed)
    return {"x": rng.normal(size=(count, *shape[1:])).astype(np.float32)}


def weight(*shape):
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


# operator: (nodes behind the Relu that makes "r" from "x", constants, shape of x)
CASES = {
    "Conv": ([("Conv", ["r", "w", "b"], ["y"], {"pads": [1, 0, 1, 1], "strides": [2, 1]})], {"w": weight(6, 4, 3, 3), "b": weight(6)}, IMAGE),
    "Conv grouped": ([("Conv", ["r", "w"], ["y"], {"group": 4, "dilations": [2, 2]})], {"w": weight(8, 1, 3, 2)}, IMAGE),
    "ConvTranspose": ([("ConvTranspose", ["r", "w"], ["y"], {"strides": [2, 2], "output_padding": [1, 0], "pads": [1, 1, 0, 1]})], {"w": weight(4, 3, 3, 3)}, IMAGE),
    "Gemm": ([("Gemm", ["r", "w", "b"], ["y"])], {"w": weight(12, 5), "b": weight(5)}, ROW),
    "MatMul": ([("MatMul", ["r", "w"], ["y"])], {"w": weight(12, 5)}, ROW),
    "Add": ([("Tanh", ["r"], ["t"]), ("Add", ["r", "t"], ["y"])], {}, IMAGE),
    "Sub": ([("Tanh", ["r"], ["t"]), ("Sub", ["r", "t"], ["y"])], {}, IMAGE),
    "Sum": ([("Tanh", ["r"], ["t"]), ("Sum", ["r", "t", "r"], ["y"])], {}, IMAGE),
    "Mul": ([("Tanh", ["r"], ["t"]), ("Mul", ["r", "t"], ["y"])], {}, IMAGE),
    "Div": ([("Sigmoid", ["r"], ["t"]), ("Div", ["r", "t"], ["y"])], {}, IMAGE),
    "Pow": ([("Pow", ["r", "c"], ["y"])], {"c": np.float32(2)}, IMAGE),
    "Concat": ([("Tanh", ["r"], ["t"]), ("Concat", ["r", "t"], ["y"], {"axis": 1})], {}, IMAGE),
    "MaxPool": ([("MaxPool", ["r"], ["y"], {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 0, 1, 0], "ceil_mode": 1})], {}, IMAGE),
    "AveragePool": ([("AveragePool", ["r"], ["y"], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1})], {}, IMAGE),
    "GlobalAveragePool": ([("GlobalAveragePool", ["r"], ["y"])], {}, IMAGE),
    "GlobalMaxPool": ([("GlobalMaxPool", ["r"], ["y"])], {}, IMAGE),
    "ReduceMean": ([("ReduceMean", ["r"], ["y"], {"axes": [2, 3], "keepdims": 0})], {}, IMAGE),
    "Relu": ([("Tanh", ["r"], ["t"]), ("Relu", ["t"], ["y"])], {}, IMAGE),
    "Clip": ([("Tanh", ["r"], ["t"]), ("Clip", ["t", "low", "high"], ["y"])], {"low": np.float32(-0.25), "high": np.float32(0.5)}, IMAGE),
    "LeakyRelu": ([("LeakyRelu", ["x"], ["y"], {"alpha": 0.2})], {}, IMAGE),
    "PRelu": ([("PRelu", ["x", "s"], ["y"])], {"s": weight(4, 1, 1)}, IMAGE),
    "Sigmoid": ([("Sigmoid", ["x"], ["y"])], {}, IMAGE),
    "HardSigmoid": ([("HardSigmoid", ["x"], ["y"], {"alpha": 0.3, "beta": 0.4})], {}, IMAGE),
    "HardSwish": ([("HardSwish", ["x"], ["y"])], {}, IMAGE),
    "Gelu": ([("Gelu", ["x"], ["y"], {"approximate": "tanh"})], {}, IMAGE),
    "Exp": ([("Exp", ["x"], ["t"]), ("Sqrt", ["t"], ["u"]), ("Neg", ["u"], ["v"]), ("Erf", ["v"], ["y"])], {}, IMAGE),
    "Softmax": ([("Softmax", ["x"], ["y"], {"axis": 1})], {}, ROW),
    "LayerNormalization": ([("LayerNormalization", ["x", "s", "b"], ["y"], {"axis": 1})], {"s": weight(12), "b": weight(12)}, ROW),
    "BatchNormalization": ([("Tanh", ["x"], ["t"]), ("BatchNormalization", ["t", "s", "b", "m", "v"], ["y"])], {"s": weight(4), "b": weight(4), "m": weight(4), "v": weight(4) ** 2 + 1}, IMAGE),
    "LRN": ([("LRN", ["r"], ["y"], {"size": 3, "alpha": 0.5, "beta": 0.6, "bias": 1.5})], {}, IMAGE),
    "Resize": ([("Resize", ["r", "", "s"], ["y"], {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"})], {"s": np.float32([1, 1, 2, 1.5])}, IMAGE),
    "Resize by sizes": ([("Resize", ["r", "", "", "s"], ["y"], {"mode": "linear", "coordinate_transformation_mode": "align_corners"})], {"s": np.array([2, 4, 11, 7])}, IMAGE),
    "DepthToSpace": ([("DepthToSpace", ["r"], ["y"], {"blocksize": 2, "mode": "CRD"})], {}, IMAGE),
    "Pad": ([("Pad", ["r", "p", "c"], ["y"])], {"p": np.array([0, 0, 1, 2, 0, 1, 0, 3]), "c": np.float32(0.5)}, IMAGE),
    "Pad reflected": ([("Pad", ["r", "p"], ["y"], {"mode": "reflect"})], {"p": np.array([0, 0, 1, 2, 0, 0, 1, 0])}, IMAGE),
    "Reshape": ([("Reshape", ["r", "s"], ["y"])], {"s": np.array([0, 8, -1])}, IMAGE),
    "Flatten": ([("Flatten", ["r"], ["y"], {"axis": 2})], {}, IMAGE),
    "Squeeze": ([("GlobalMaxPool", ["r"], ["t"]), ("Squeeze", ["t", "a"], ["u"]), ("Unsqueeze", ["u", "c"], ["y"])], {"a": np.array([3]), "c": np.array([1])}, IMAGE),
    "Transpose": ([("Transpose", ["r"], ["y"], {"perm": [0, 3, 1, 2]})], {}, IMAGE),
    "Slice": ([("Slice", ["r", "s", "e", "a", "t"], ["y"])], {"s": np.array([4, 1]), "e": np.array([-7, 4]), "a": np.array([2, 3]), "t": np.array([-2, 1])}, IMAGE),
    "Split": ([("Split", ["r", "s"], ["t", "u"], {"axis": 1}), ("Tanh", ["u"], ["y"])], {"s": np.array([1, 3])}, IMAGE),
    "Where": ([("Tanh", ["r"], ["t"]), ("Where", ["m", "r", "t"], ["y"])], {"m": weight(4, 6, 6) > 0}, IMAGE),
    "Gather": ([("Gather", ["r", "i"], ["y"], {"axis": 2})], {"i": np.array([[5, 0], [1, 1]])}, IMAGE),
}  # fmt: skip


@pytest.fixture
def quantized(build):
    """Return (graph, inputs) of one of the cases."""

    def make(case, batch=2, **choices):
        nodes, constants, shape = CASES[case]
        opset = 20 if case == "Gelu" else 17
        model = build([("Relu", ["x"], ["r"]), *nodes], {"x": ["n", *shape[1:]]}, constants=constants, opset=opset)
        inputs = images(shape)
        return hwsim.quantize(read_onnx(model, batch=batch), calibration=inputs, **choices), inputs

    return make


@pytest.mark.parametrize("case", CASES)
def test_the_reference_computes_the_same_codes(quantized, case, tmp_path):
    graph, inputs = quantized(case)
    write_qdq(graph, tmp_path / "old.onnx")
    onnx.checker.check_model(str(tmp_path / "old.onnx"), full_check=True)
    write_qdq(graph, tmp_path / "q.onnx", opset=21)  # the reference has no DequantizeLinear before 19
    assert same_codes(graph, tmp_path / "q.onnx", inputs)


def test_every_operator_is_written_or_has_a_form_of_its_own():
    unwritten = set(OPS) - set(PLAIN) - set(EMITTERS)
    assert {"Quantize", "Reinterpret", "MultiThreshold"} <= unwritten
    assert not {op for op in unwritten if onnx.defs.has(op)} - {"DynamicQuantizeLinear"}


@pytest.mark.parametrize(
    ("weights", "activations", "stored"),
    [
        ("int8", "uint8", {"INT8", "UINT8", "INT32"}),
        ("int4", "uint8", {"INT4", "UINT8", "INT32"}),
        ("int4", "uint4", {"INT4", "UINT4", "INT32", "UINT8"}),
        ("uint4", "int8", {"UINT4", "INT8", "INT32"}),
        ("int3", "uint6", {"INT8", "UINT8", "INT32"}),
        ("int8n", "int5", {"INT8", "INT32"}),
        ("int16", "uint8", {"INT16", "UINT8", "INT32"}),
        ("int8", "int8n", {"INT8", "INT32"}),
    ],
)
def test_widths_are_stored_in_the_next_type(quantized, tmp_path, weights, activations, stored):
    symmetry = "asymmetric" if weights.startswith("u") else "symmetric"
    graph, inputs = quantized("Conv", weights=weights, activations=activations, weight_symmetry=symmetry)
    notes = write_qdq(graph, tmp_path / "q.onnx", opset=21)
    model = onnx.load(tmp_path / "q.onnx")
    kinds = {onnx.TensorProto.DataType.Name(t.data_type) for t in model.graph.initializer} - {"FLOAT", "INT64"}
    assert kinds == stored
    assert same_codes(graph, tmp_path / "q.onnx", inputs)
    clipped = [node for node in model.graph.node if node.op_type == "Clip" and node.name.endswith("clamp")]
    assert bool(clipped) == bool(notes) == (activations in ("uint6", "int5", "int8n"))


@pytest.mark.parametrize(
    ("low", "high", "bits", "ends"),
    [(0.0, 6.0, 4, [0, 4.5]), (0.0, 1.0, 8, [0, 0.9]), (0.0, None, 4, [0, 4.5]), (0.6, None, 8, [0.6, 4.5])],
)
def test_no_clip_meets_a_type_of_less_than_a_byte(low, high, bits, ends, tmp_path):
    """ONNX Runtime 1.31 fails on it: an end that cuts no code is left out, and codes that are cut get a byte."""
    tensors = {
        "x": Tensor(name="x", shape=(1, 2)),
        "m": Tensor(name="m", shape=(1,), data=np.float32([1])),
        "y": Tensor(name="y", shape=(1, 2), quant=grid("uint4", 0.3, 0)),
    }
    node = Node(name="n", op="Add", inputs=("x", "m"), outputs=("y",), attributes={"clamp": (low, high)})
    graph = Graph(name="clipped", nodes=(node,), tensors=tensors, inputs=("x",), outputs=("y",))
    write_qdq(graph, tmp_path / "q.onnx", opset=21)
    (quantize,) = (node for node in onnx.load(tmp_path / "q.onnx").graph.node if node.op_type == "QuantizeLinear")
    clips = [node for node in onnx.load(tmp_path / "q.onnx").graph.node if node.op_type == "Clip"]
    assert bool(clips) == (bits == 8)
    codes = {value.name: value.type.tensor_type.elem_type for value in onnx.load(tmp_path / "q.onnx").graph.value_info}
    assert codes[quantize.output[0]] == (onnx.TensorProto.UINT4 if bits == 4 else onnx.TensorProto.UINT8)
    x = np.float32([[-3, 9]])
    np.testing.assert_allclose(reference(tmp_path / "q.onnx", {"x": x})["y"], [ends], rtol=1e-6)


def test_two_bit_types_where_they_are_wanted(quantized, tmp_path):
    graph, inputs = quantized("Conv", weights="int2", activations="uint8")
    write_qdq(graph, tmp_path / "q.onnx", least_bits=2)
    model = onnx.load(tmp_path / "q.onnx")
    assert onnx.TensorProto.INT2 in {tensor.data_type for tensor in model.graph.initializer}
    assert model.opset_import[0].version == 25
    assert same_codes(graph, tmp_path / "q.onnx", inputs)


def test_the_batch_stays_open(quantized, tmp_path):
    graph, _ = quantized("Conv")
    write_qdq(graph, tmp_path / "q.onnx", opset=21)
    model = onnx.load(tmp_path / "q.onnx")
    for value in (*model.graph.input, *model.graph.output):
        assert value.type.tensor_type.shape.dim[0].dim_param == "batch"


def test_a_row_that_is_repeated_fixes_the_batch(build, tmp_path):
    constants = {"c": weight(1, 2, 6, 6)}
    model = build(
        [("Relu", ["x"], ["r"]), ("Concat", ["c", "r"], ["y"], {"axis": 1})], {"x": [2, 4, 6, 6]}, constants=constants
    )
    for batch in (1, 3):
        inputs = images(IMAGE, batch)
        graph = hwsim.quantize(read_onnx(model, batch=batch), calibration=inputs)
        write_qdq(graph, tmp_path / "q.onnx", opset=21)
        value = onnx.load(tmp_path / "q.onnx").graph.input[0]
        assert value.type.tensor_type.shape.dim[0].dim_value == batch
        assert same_codes(graph, tmp_path / "q.onnx", inputs)


def small(x_grid, y_grid, op="Quantize", code_inputs=(), **attributes):
    tensors = {
        "x": Tensor(name="x", shape=(1, 2), quant=x_grid),
        "y": Tensor(name="y", shape=(1, 2), quant=y_grid),
    }
    node = Node(name="n", op=op, inputs=("x",), outputs=("y",), attributes=attributes)
    return Graph(name="small", nodes=(node,), tensors=tensors, inputs=("x",), outputs=("y",), code_inputs=code_inputs)


def grid(text="uint8", scale=0.5, zero_point=3, **more):
    return QuantParams(format=parse_format(text), scale=(scale,), zero_point=(zero_point,), **more)


def test_codes_read_on_another_grid(tmp_path):
    graph = small(grid(), grid(scale=0.25, zero_point=128), "Reinterpret", ("x",), factor=0.5, offset=-31.25)
    write_qdq(graph, tmp_path / "q.onnx", opset=21)
    found = reference(tmp_path / "q.onnx", {"x": np.array([[0, 255]], np.uint8)})
    assert found["y"].tolist() == [[-32, 31.75]]


def test_wide_codes_stay_real(tmp_path):
    notes = write_qdq(small(grid(), grid("int32", 1e-3, 0)), tmp_path / "q.onnx", opset=21)
    assert notes == ("int32 codes, which QuantizeLinear lacks, are real in the file: 'y'",)
    assert reference(tmp_path / "q.onnx", {"x": np.float32([[0.7, 3]])})["y"].tolist() == [[0.5, 3]]


def test_floating_point_codes(tmp_path):
    write_qdq(small(None, grid("fp8e4m3fn", 0.5, 0)), tmp_path / "q.onnx", opset=21)
    assert reference(tmp_path / "q.onnx", {"x": np.float32([[0.57, 1e6]])})["y"].tolist() == [[0.5625, 224]]


@pytest.mark.parametrize(
    ("last", "message"),
    [
        (grid("bipolar", 1.0, 0), "tensor 'y': ONNX has no element type for the format bipolar"),
        (grid(rounding=Rounding.FLOOR), "tensor 'y' rounds floor, and QuantizeLinear only half_even"),
        (QuantParams(format=IntFormat(bits=8)), "tensor 'y' has no scale yet"),
        (
            QuantParams(format=IntFormat(bits=6), scale=(1.0, 2.0), zero_point=(0, 0), granularity=Granularity(axis=1)),
            "tensor 'y': int6 with a scale per channel needs a Clip per channel",
        ),
    ],
)
def test_what_qdq_cannot_say(last, message, tmp_path):
    with pytest.raises(GraphError, match=message):
        write_qdq(small(None, last), tmp_path / "q.onnx")


def test_a_float_graph_and_a_missing_folder(tmp_path):
    with pytest.raises(GraphError, match="no tensor has a grid; quantize the graph"):
        write_qdq(small(None, None), tmp_path / "q.onnx")
    with pytest.raises(GraphError, match="cannot be written: No such file or directory"):
        write_qdq(small(None, grid()), tmp_path / "missing" / "q.onnx")


def test_packing_is_exhaustive_for_narrow_codes():
    for bits in (2, 4, 8):
        codes = np.arange(-(1 << (bits - 1)), 1 << (bits - 1))
        stored = packed(codes, bits)
        found = np.array(
            [(byte >> (bits * i)) & ((1 << bits) - 1) for byte in stored.tolist() for i in range(8 // bits)]
        )
        assert np.array_equal(np.where(found >> (bits - 1), found - (1 << bits), found)[: len(codes)], codes)
