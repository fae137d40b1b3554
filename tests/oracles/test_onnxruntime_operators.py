"""Single operators against ONNX Runtime's QLinear kernels, on random grids and on power-of-two ones, where ties are common.

The kernels of the vector unit do not depend on VNNI; they do on AVX2 and FMA (QLinearAdd), which every x86 runner has.
"""

import platform

import numpy as np
import onnx
import pytest

from hwsim.execute.integer import Layer, run_integer
from hwsim.hardware import load_accelerator
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams
from tests.execute.integer.networks import network

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (pip install .[oracle])")

X86 = platform.machine().lower() in ("x86_64", "amd64")
TYPES = {"uint8": onnx.TensorProto.UINT8, "int8": onnx.TensorProto.INT8}
POOL = {"kernel": (3, 2), "strides": (2, 2), "pads": (1, 0, 1, 1), "dilations": (1, 1)}


@pytest.fixture(scope="module")
def machine():
    return load_accelerator("edge_16x16", overrides=["datapath.arithmetic=onnxruntime"])


def any_grid(rng, kind):
    number = IntFormat.parse(kind)
    scale = 2.0 ** -int(rng.integers(3, 7)) if rng.integers(2) else float(np.float32(rng.uniform(0.005, 0.1)))
    zero = int(rng.integers(number.minimum, number.maximum + 1))
    return QuantParams(format=number, scale=(scale,), zero_point=(zero,))


def expected(op, arrays, grids, output, attributes, *, output_first=False):
    """Return the codes of one ``com.microsoft`` operator."""
    kind = str(grids[0].format)
    constants, feeds, named = [], {}, []

    def constant(name, value):
        constants.append(onnx.numpy_helper.from_array(value, name))
        return name

    def of_grid(tag, grid):
        scale = constant(f"scale_{tag}", np.array(grid.scale[0], np.float32))
        return [scale, constant(f"zero_{tag}", np.array(grid.zero_point[0], kind))]

    for index, (array, grid) in enumerate(zip(arrays, grids, strict=True)):
        feeds[f"x{index}"] = array.astype(kind)
        named += [f"x{index}", *of_grid(index, grid)]
    named = of_grid("y", output) + named if output_first else named + of_grid("y", output)
    node = onnx.helper.make_node(op, named, ["y"], domain="com.microsoft", **attributes)
    inputs = [onnx.helper.make_tensor_value_info(name, TYPES[kind], array.shape) for name, array in feeds.items()]
    result = onnx.helper.make_tensor_value_info("y", TYPES[kind], None)
    model = onnx.helper.make_model(
        onnx.helper.make_graph([node], "one", inputs, [result], constants),
        opset_imports=[onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("com.microsoft", 1)],
        ir_version=9,
    )
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, feeds)[0]


def simulated(machine, op, arrays, grids, output, attributes):
    graph = network(op, attributes, [(a.shape, grid, None) for a, grid in zip(arrays, grids, strict=True)], output)
    layers = {node.name: Layer.of(graph, node, machine, None) for node in graph.nodes}
    reals = {name: grid.decode(a) for name, grid, a in zip(graph.inputs, grids, arrays, strict=True)}
    return run_integer(graph, layers, reals)["out0"]


def compare(machine, op, theirs, shapes, attributes, their_attributes, *, rounds=12, output_first=False, output=None):
    """Both, on ``rounds`` random grids; every code must be equal."""
    for seed in range(rounds):
        rng = np.random.default_rng(seed)
        kind = ("uint8", "int8")[seed % 2]
        grids = [any_grid(rng, kind) for _ in shapes]
        result = any_grid(rng, kind) if output is None else output(rng, kind)
        low, high = grids[0].format.minimum, grids[0].format.maximum
        arrays = [rng.integers(low, high + 1, shape) for shape in shapes]
        reference = expected(theirs, arrays, grids, result, their_attributes, output_first=output_first)
        got = simulated(machine, op, arrays, grids, result, attributes)
        assert got.shape == reference.shape
        assert (got != reference).sum() == 0, f"{op} {kind} seed {seed}: {(got != reference).sum()} differ"


@pytest.mark.skipif(not X86, reason="QLinearAdd rounds otherwise on processors that are not x86")
@pytest.mark.parametrize(
    "shapes",
    [
        [(2, 8, 9, 7), (2, 8, 9, 7)],
        [(2, 8, 9, 7), (8, 1, 1)],
        [(8, 1, 1), (2, 8, 9, 7)],
        [(2, 5, 33), (33,)],
        [(2, 5, 33), ()],
        [(), (2, 5, 33)],
        [(1,), (400, 1, 1)],
        [(400, 1, 1), (1,)],
        [(400, 1), ()],
        [(1, 8, 1, 1), (2, 8, 1, 1)],
        [(4, 1, 9), (1, 6, 1)],
    ],
)
def test_add(machine, shapes):
    compare(machine, "Add", "QLinearAdd", shapes, {}, {})


@pytest.mark.parametrize("shapes", [[(2, 8, 9, 7), (2, 8, 9, 7)], [(2, 8, 9, 7), (2, 8, 1, 1)], [(5, 33), ()]])
def test_mul(machine, shapes):
    compare(machine, "Mul", "QLinearMul", shapes, {}, {})


@pytest.mark.parametrize("include", [0, 1])
@pytest.mark.parametrize("ceil", [0, 1])
def test_average_pool(machine, include, ceil):
    ours = {**POOL, "ceil_mode": ceil, "count_include_pad": include}
    theirs = {"kernel_shape": (3, 2), "strides": (2, 2), "pads": (1, 0, 1, 1)}
    theirs |= {"ceil_mode": ceil, "count_include_pad": include}
    compare(machine, "AveragePool", "QLinearAveragePool", [(2, 6, 13, 11)], ours, theirs)


@pytest.mark.parametrize("shape", [(2, 40, 7, 7), (1, 9, 3, 5)])
def test_global_average_pool(machine, shape):
    compare(machine, "GlobalAveragePool", "QLinearGlobalAveragePool", [shape], {}, {"channels_last": 0}, rounds=40)


def test_concat(machine):
    shapes = [(2, 3, 50), (2, 5, 50), (2, 1, 50)]
    compare(machine, "Concat", "QLinearConcat", shapes, {"axis": 1}, {"axis": 1}, output_first=True)


@pytest.mark.parametrize(
    ("op", "theirs", "attributes"),
    [("Sigmoid", "QLinearSigmoid", {}), ("LeakyRelu", "QLinearLeakyRelu", {"alpha": 0.3})],
)
def test_tables(machine, op, theirs, attributes):
    compare(machine, op, theirs, [(4, 512)], attributes, attributes, rounds=60)


@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize("length", [2, 10, 1000])
def test_softmax(machine, length, axis):
    """The runtime's own result grid has the scale 1/256; others lose to a reciprocal that is rounded down to an integer."""

    def result(rng, kind):
        zero = {"uint8": 0, "int8": -128}[kind]
        scale = 1 / 256 if rng.integers(2) else float(np.float32(rng.uniform(1 / 256, 0.02)))
        return QuantParams(format=IntFormat.parse(kind), scale=(scale,), zero_point=(zero,))

    shape = (2, 3, length) if axis == 2 else (2, length, 3)
    attributes = {"axis": axis}
    compare(machine, "Softmax", "QLinearSoftmax", [shape], attributes, {"axis": axis, "opset": 13}, output=result)


@pytest.mark.parametrize("kind", ["uint8", "int8"])
@pytest.mark.parametrize("mode", ["asymmetric", "align_corners", "half_pixel", "pytorch_half_pixel"])
def test_resize(machine, kind, mode):
    """The operator of the standard on codes, which is what is left of a quantized Resize."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        height, width, rows, columns = (int(value) for value in rng.integers(1, 12, 4))
        info = np.iinfo(kind)
        codes = rng.integers(info.min, info.max + 1, (1, 3, height, width)).astype(kind)
        sizes = onnx.numpy_helper.from_array(np.array([1, 3, rows, columns], np.int64), "sizes")
        node = onnx.helper.make_node(
            "Resize", ["x", "", "", "sizes"], ["y"], mode="linear", coordinate_transformation_mode=mode
        )
        inputs = [onnx.helper.make_tensor_value_info("x", TYPES[kind], codes.shape)]
        result = onnx.helper.make_tensor_value_info("y", TYPES[kind], None)
        body = onnx.helper.make_graph([node], "one", inputs, [result], [sizes])
        model = onnx.helper.make_model(body, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        grid = any_grid(rng, kind)
        attributes = {"mode": "linear", "coordinate_transformation_mode": mode, "nearest_mode": "floor"}
        attributes |= {"scales": (rows / height, columns / width), "output_size": (rows, columns)}
        got = simulated(machine, "Resize", [codes], [grid], grid, attributes)
        assert (got != session.run(None, {"x": codes})[0]).sum() == 0
