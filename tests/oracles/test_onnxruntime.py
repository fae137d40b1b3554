"""Quantized networks against ONNX Runtime: every tensor of the file equal, integer for integer.

Topologies from the zoo with seeded weights (trained ones for the digits) are quantized by ``onnxruntime.quantization`` after
its own preprocessing, which folds batch normalization, and calibrated on drawn images. Without VNNI, ONNX Runtime's products
of uint8 and int8 saturate in pairs (``vpmaddubsw``), so that weights of such networks have 7 bits (``reduce_range``); uint8 by
uint8 and int8 by int8 have all 8 bits.
"""

import platform

import numpy as np
import onnx
import pytest

import hwsim
from hwsim.interchange.onnx import read_onnx
from hwsim.zoo import load_model, natural_images
from tests.integers import every_tensor
from tests.oracles.random_qoperators import Builder

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (pip install .[oracle])")
quantization = pytest.importorskip(
    "onnxruntime.quantization", reason="onnxruntime is not installed (pip install .[oracle])"
)

pytestmark = pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"), reason="QLinearAdd rounds otherwise on other processors"
)

LARGE = ("resnet50", "squeezenet", "shufflenet")
DIGITS = ("digits_resnet", "digits_mobilenet")
TYPES = {"u8s8": ("QUInt8", "QInt8"), "u8u8": ("QUInt8", "QUInt8"), "s8s8": ("QInt8", "QInt8")}
IN_FLOAT = {"u16s8": ("QUInt16", "QInt8"), "s16s8": ("QInt16", "QInt8"), "u8s4": ("QUInt8", "QInt4")}


@pytest.fixture(scope="module")
def machine():
    exact = ("accumulator=int32:wrap", "psum=exact", "requantizer=float32", "arithmetic=onnxruntime")
    return hwsim.accelerator("edge_16x16", overrides=[f"datapath.{key}" for key in exact])


class Reader(quantization.CalibrationDataReader):
    def __init__(self, feeds):
        self.feeds = iter(feeds)

    def get_next(self):
        return next(self.feeds, None)


def float_model(name):
    """Return the network; ONNX Runtime quantizes Add, not Sum."""
    model = onnx.ModelProto.FromString(load_model(name, 0).SerializeToString())
    for node in model.graph.node:
        if node.op_type == "Sum" and len(node.input) == 2:
            node.op_type = "Add"
    return model


def images(name, model, count, seed):
    if name in DIGITS:
        return hwsim.dataset(name, "test")["image"][seed : seed + count]
    shape = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
    return natural_images(count, *shape[1:], seed=seed)


def quantized(folder, name, style, types, *, per_channel=True, operators=None):
    """Quantize as the tool's users do and return the path and one batch of images for it."""
    model = float_model(name)
    plain, ready, path = (str(folder / f"{name}.{stage}.onnx") for stage in ("float", "ready", f"{style}.{types}"))
    onnx.save(model, plain)
    quantization.quant_pre_process(plain, ready, skip_symbolic_shape=True)
    feed = model.graph.input[0].name
    count = 16 if name in DIGITS else 2
    drawn = images(name, model, count, 0)
    activation, weight = (getattr(quantization.QuantType, kind) for kind in (TYPES | IN_FLOAT)[types])
    quantization.quantize_static(
        ready, path, Reader([{feed: drawn[i : i + 1]} for i in range(count)]), per_channel=per_channel,
        quant_format=getattr(quantization.QuantFormat, style), activation_type=activation, weight_type=weight,
        reduce_range=types == "u8s8", op_types_to_quantize=operators,
    )  # fmt: skip
    return path, {feed: images(name, model, 1, count + 3)}


def reference(path, feeds, wanted, *, optimized):
    """Return what ONNX Runtime computes for the tensors that ``wanted`` picks, by name, and the model."""
    model = onnx.load(path)
    results = {value.name for value in model.graph.output}
    for node in model.graph.node:
        for name in node.output:
            if name and name not in results and wanted(node):
                model.graph.output.append(onnx.ValueInfoProto(name=name))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    level = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_ALL if optimized else level.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [value.name for value in model.graph.output]
    return dict(zip(names, session.run(names, feeds), strict=True)), model


def name_of(graph, model, name):
    """Return the name that a tensor of the file has in the graph.

    Codes that are only quantized or dequantized again have the name of the real numbers before or behind them: inputs and
    results of the network, and what is moved between two tensors on one grid.
    """
    if name in graph.tensors:
        return name
    producer = {node.output[0]: node for node in model.graph.node if node.op_type == "QuantizeLinear"}
    reader = {node.input[0]: node for node in model.graph.node if node.op_type == "DequantizeLinear"}
    before = producer[name].input[0] if name in producer else ""
    return before if before in graph.tensors and graph.tensors[before].quant is not None else reader[name].output[0]


def differences(graph, model, ours, theirs):
    """Return the tensors that differ, with the number of elements that do."""
    wrong = {}
    for name, expected in theirs.items():
        own = name_of(graph, model, name)
        got, grid = ours[own], graph.tensors[own].quant
        if expected.dtype.kind == "f" and grid is not None:
            got = grid.decode(got)
        assert got.shape == expected.shape
        if (got != expected).any():
            wrong[name] = int((got != expected).sum())
    return wrong


def check_qoperator(tmp_path, machine, name, types, *, per_channel=True):
    path, feeds = quantized(tmp_path, name, "QOperator", types, per_channel=per_channel)
    theirs, model = reference(path, feeds, lambda node: True, optimized=False)
    graph = read_onnx(path)
    ours = every_tensor(graph, machine, feeds)
    assert differences(graph, model, ours, theirs) == {}
    assert len(theirs) == sum(len(node.output) for node in model.graph.node)
    products = [node for node in graph.nodes if node.op in ("Conv", "Gemm", "MatMul")]
    assert products
    for node in products:
        assert len(np.unique(ours[node.outputs[0]])) > 4, f"{node.name} is constant, so that equality proves nothing"


@pytest.mark.oracle
@pytest.mark.parametrize("name", LARGE)
def test_every_tensor_of_a_network(tmp_path, machine, name):
    """Activations uint8, weights int8 of 7 bits per channel."""
    check_qoperator(tmp_path, machine, name, "u8s8")


@pytest.mark.oracle
@pytest.mark.parametrize("types", ["u8u8", "s8s8"])
def test_every_tensor_of_a_network_with_eight_bits(tmp_path, machine, types):
    check_qoperator(tmp_path, machine, "squeezenet", types, per_channel=types == "s8s8")


@pytest.mark.parametrize("name", DIGITS)
@pytest.mark.parametrize("types", TYPES)
def test_every_tensor_of_a_trained_network(tmp_path, machine, name, types):
    check_qoperator(tmp_path, machine, name, types, per_channel=types != "u8u8")


def check_qdq(tmp_path, machine, name):
    """ONNX Runtime fuses what stands between DequantizeLinear and QuantizeLinear, and so does ``hwsim.load``."""
    path, feeds = quantized(tmp_path, name, "QDQ", "u8s8")
    theirs, model = reference(path, feeds, lambda node: node.op_type == "QuantizeLinear", optimized=True)
    graph = hwsim.load(path)
    assert not any(node.op == "Quantize" for node in graph.nodes)
    assert differences(graph, model, every_tensor(graph, machine, feeds), theirs) == {}


@pytest.mark.oracle
@pytest.mark.parametrize("name", LARGE)
def test_every_quantized_tensor_of_a_fused_network(tmp_path, machine, name):
    check_qdq(tmp_path, machine, name)


@pytest.mark.parametrize("name", DIGITS)
def test_every_quantized_tensor_of_a_fused_trained_network(tmp_path, machine, name):
    check_qdq(tmp_path, machine, name)


@pytest.mark.parametrize("types", TYPES)
@pytest.mark.parametrize("seed", range(8))
def test_every_tensor_of_random_operators(tmp_path, machine, seed, types):
    """com.microsoft's operators, integers that are moved, and readers that see another scale than the writer."""
    activations, weights = ({"u": "uint8", "s": "int8"}[types[index]] for index in (0, 2))
    model, feeds = Builder(seed, activations, weights).model(14)
    path = tmp_path / "random.onnx"
    onnx.save(model, path)
    theirs, model = reference(path, feeds, lambda node: True, optimized=False)
    graph = read_onnx(path, batch=len(feeds["x"]))
    ours = every_tensor(graph, machine, feeds)
    assert differences(graph, model, ours, theirs) == {}
    assert len(theirs) == len(model.graph.node)


@pytest.mark.parametrize("name", DIGITS)
def test_network_that_is_quantized_in_part(tmp_path, machine, name):
    """Additions, activations and the head stay real-valued: every code is equal, the real logits nearly."""
    path, feeds = quantized(tmp_path, name, "QDQ", "u8s8", operators=["Conv"])
    theirs, model = reference(path, feeds, lambda node: node.op_type == "QuantizeLinear", optimized=True)
    graph = hwsim.load(path)
    ours = every_tensor(graph, machine, feeds)
    logits = {name: theirs.pop(name) for name in graph.outputs}
    assert differences(graph, model, ours, theirs) == {}
    for result, expected in logits.items():
        assert graph.tensors[result].quant is None
        np.testing.assert_allclose(ours[result], expected, rtol=1e-5, atol=1e-5)
    assert {"GlobalAveragePool", "Gemm"} <= {
        node.op for node in graph.nodes if graph.tensors[node.outputs[0]].quant is None
    }


@pytest.mark.parametrize("types", IN_FLOAT)
def test_widths_that_the_runtime_computes_in_float(tmp_path, machine, types):
    """ONNX Runtime fuses no products of 16-bit or 4-bit codes: its float32 sums lie at most two steps beside the integers."""
    path, feeds = quantized(tmp_path, "digits_resnet", "QDQ", types, per_channel=False)
    theirs, model = reference(path, feeds, lambda node: node.op_type == "QuantizeLinear", optimized=True)
    graph = hwsim.load(path)
    wide = hwsim.accelerator(machine.name, overrides=["datapath.accumulator=int48:wrap", "datapath.psum=exact",
                                                      "datapath.requantizer=float32", "datapath.arithmetic=onnxruntime"])  # fmt: skip
    ours = every_tensor(graph, wide, feeds)
    for name, expected in theirs.items():
        own = name_of(graph, model, name)
        if expected.dtype.kind != "f":
            assert np.abs(ours[own].astype(int) - expected.astype(int)).max() <= 2
    formats = {str(tensor.quant.format) for tensor in graph.tensors.values()}
    assert formats == {"u16s8": {"uint16", "int8", "int32"}, "s16s8": {"int16", "int8", "int32"},
                       "u8s4": {"uint8", "int4", "int32"}}[types]  # fmt: skip


def quantized_at_run_time(folder, model, weights):
    plain, ready, path = (str(folder / f"{stage}.onnx") for stage in ("float", "ready", "dynamic"))
    onnx.save(model, plain)
    quantization.quant_pre_process(plain, ready, skip_symbolic_shape=True)
    kind = getattr(quantization.QuantType, weights)
    quantization.quantize_dynamic(ready, path, weight_type=kind, reduce_range=weights == "QInt8")
    return path


@pytest.mark.parametrize("weights", ["QUInt8", "QInt8"])
@pytest.mark.parametrize("name", DIGITS)
def test_convolutions_quantized_at_run_time(tmp_path, machine, name, weights):
    """DynamicQuantizeLinear, ConvInteger and the float32 arithmetic around them, up to the average, whose sum has no order."""
    model = float_model(name)
    path = quantized_at_run_time(tmp_path, model, weights)
    feeds = {model.graph.input[0].name: images(name, model, 1, 5)}
    theirs, model = reference(path, feeds, lambda node: True, optimized=False)
    graph = read_onnx(path)
    stop = next(index for index, node in enumerate(graph.nodes) if node.op == "GlobalAveragePool")
    before = {name for node in graph.nodes[:stop] for name in node.outputs} & set(theirs)
    kinds = {graph.producer_of[name].op for name in before}
    assert kinds >= {"DynamicQuantizeLinear", "Conv", "Mul", "Add"}
    ours = every_tensor(graph, machine, feeds)
    assert differences(graph, model, ours, {name: theirs[name] for name in before}) == {}


@pytest.mark.parametrize("weights", ["QUInt8", "QInt8"])
def test_products_quantized_at_run_time(tmp_path, machine, weights):
    """MatMulInteger: sums of 12000 products pass 2^24, where float32 would lose bits."""
    rng = np.random.default_rng(0)
    real = {name: rng.standard_normal(shape) for name, shape in {"w": (12000, 9), "b": (9,), "v": (9, 5)}.items()}
    real["w"] += 3
    nodes = [
        ("MatMul", ["x", "w"], ["m"]),
        ("Add", ["m", "b"], ["a"]),
        ("Relu", ["a"], ["r"]),
        ("MatMul", ["r", "v"], ["y"]),
    ]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node(*node) for node in nodes], "dense",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [4, 12000])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [4, 5])],
        [onnx.numpy_helper.from_array(value.astype(np.float32), name) for name, value in real.items()],
    )  # fmt: skip
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    path = quantized_at_run_time(tmp_path, model, weights)
    feeds = {"x": (rng.standard_normal((4, 12000)) + 2).astype(np.float32)}
    theirs, model = reference(path, feeds, lambda node: node.op_type != "Cast", optimized=False)
    graph = read_onnx(path, batch=4)
    ours = every_tensor(graph, machine, feeds)
    assert (
        max(abs(int(value)) for name in theirs for value in ours[name].ravel() if ours[name].dtype == np.int32) > 2**24
    )
    assert differences(graph, model, ours, theirs) == {}


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("zero_points", [False, True])
def test_weights_of_few_bits(machine, bits, zero_points):
    """MatMulNBits: dequantized blocks, multiplied in float32 in an order of its own, so equal but for the last bits."""
    rng = np.random.default_rng(bits)
    k, n, block = 80, 7, 32
    blocks, size = -(-k // block), block * bits // 8
    constants = {
        "w": rng.integers(0, 256, (n, blocks, size)).astype(np.uint8),
        "s": rng.uniform(0.01, 0.1, n * blocks).astype(np.float32),
    }
    if zero_points:
        constants["z"] = rng.integers(0, 256, n * -(-blocks * bits // 8)).astype(np.uint8)
    node = onnx.helper.make_node(
        "MatMulNBits", ["x", *constants], ["y"], domain="com.microsoft", K=k, N=n, bits=bits, block_size=block
    )
    model = onnx.helper.make_model(
        onnx.helper.make_graph(
            [node], "few",
            [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [3, k])],
            [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [3, n])],
            [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()],
        ),
        opset_imports=[onnx.helper.make_opsetid("", 21), onnx.helper.make_opsetid("com.microsoft", 1)], ir_version=10,
    )  # fmt: skip
    feeds = {"x": rng.standard_normal((3, k)).astype(np.float32)}
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    graph = read_onnx(model, batch=3)
    weight = graph.tensors[graph.nodes[0].inputs[1]]
    assert weight.shape == (k, n)
    assert (weight.quant.format.bits, weight.quant.granularity.block) == (bits, block)
    np.testing.assert_allclose(
        every_tensor(graph, machine, feeds)["y"], session.run(None, feeds)[0], rtol=2e-5, atol=2e-5
    )
