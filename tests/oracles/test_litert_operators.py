"""Single operators against LiteRT's reference kernels, on random grids: every code equal.

Needs the package ``ai-edge-litert``. LiteRT's layout is channels last, ours first.
"""

import numpy as np
import pytest

from hwsim.execute.integer import Layer, run_integer
from hwsim.graph import Graph, Node, Tensor
from hwsim.hardware import load_accelerator
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams

pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed (pip install .[oracle])")

from tests.oracles.litert_models import Operand, model, options, run

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
KINDS = ("int8", "uint8", "int16")
BYTES = ("int8", "uint8")
FIRST, LAST = (0, 3, 1, 2), (0, 2, 3, 1)
ROUNDS = 25


@pytest.fixture(scope="module")
def machine():
    return load_accelerator("edge_16x16", overrides=["datapath.arithmetic=tflite"])


def any_grid(rng, kind, *, scale=None):
    number = IntFormat.parse(kind)
    if scale is None:
        power = rng.integers(2)
        scale = 2.0 ** -int(rng.integers(3, 7)) if power else rng.uniform(0.01, 0.1)
    zero = 0 if kind == "int16" else int(rng.integers(number.minimum, number.maximum + 1))
    return QuantParams(format=number, scale=(float(np.float32(scale)),), zero_point=(zero,))


def grid_of(kind, scale, zero=0):
    return QuantParams(format=IntFormat.parse(kind), scale=(float(np.float32(scale)),), zero_point=(zero,))


def any_codes(rng, kind, shape):
    info = np.iinfo(kind)
    return rng.integers(info.min, info.max + 1, shape).astype(kind)


def operand(codes_shape, grid, data=None):
    return Operand(tuple(codes_shape), str(grid.format), grid.scale[0], grid.zero_point[0], data)


def ours(machine, op, attributes, arrays, grids, shape, output, *, constants=(), clamp=(None, None)):
    """Return our codes; operands whose index is in ``constants`` are constants of the graph."""
    tensors = []
    for index, (codes, grid) in enumerate(zip(arrays, grids, strict=True)):
        if index in constants:
            tensors.append(Tensor.of_codes(f"x{index}", codes, grid))
        else:
            tensors.append(Tensor(name=f"x{index}", shape=codes.shape, quant=grid))
    tensors.append(Tensor(name="y", shape=tuple(shape), quant=output))
    names = [tensor.name for tensor in tensors[:-1]]
    given = tuple(name for index, name in enumerate(names) if index not in constants)
    attributes = {**attributes, "clamp": clamp}
    node = Node(name="node", op=op, inputs=tuple(names), outputs=("y",), attributes=attributes)
    graph = Graph(
        name="one", nodes=(node,), tensors={tensor.name: tensor for tensor in tensors}, inputs=given, outputs=("y",)
    )
    reals = {f"x{i}": grids[i].decode(codes) for i, codes in enumerate(arrays) if i not in constants}
    return run_integer(graph, {"node": Layer.of(graph, node, machine, None)}, reals)["y"]


def equal(got, expected):
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    differ = int((got != expected).sum())
    assert not differ, f"{differ} of {got.size} codes differ"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("op", "theirs"), [("Add", "ADD"), ("Sub", "SUB")])
@pytest.mark.parametrize("second", [(3, 4, 5), (5,), (3, 1, 5)])
def test_sums(machine, kind, op, theirs, second):
    table = {"ADD": "AddOptions", "SUB": "SubOptions"}[theirs]
    for seed in range(ROUNDS):
        rng = np.random.default_rng(seed)
        grids, output = [any_grid(rng, kind) for _ in range(2)], any_grid(rng, kind, scale=rng.uniform(0.05, 0.2))
        arrays = [any_codes(rng, kind, (3, 4, 5)), any_codes(rng, kind, second)]
        activation = seed % 3 if kind != "int16" else 0  # none, RELU, RELU_N1_TO_1
        clamp = [(None, None), (0.0, None), (-1.0, 1.0)][activation]
        settings = options(table, FusedActivationFunction=activation, PotScaleInt16=False)
        operands = [operand(x.shape, grid) for x, grid in zip(arrays, grids, strict=True)]
        content = model(theirs, operands, operand((3, 4, 5), output), settings, 3 if kind == "int16" else 2)
        equal(ours(machine, op, {}, arrays, grids, (3, 4, 5), output, clamp=clamp), run(content, arrays))


@pytest.mark.parametrize("kind", KINDS)
def test_products(machine, kind):
    for seed in range(ROUNDS):
        rng = np.random.default_rng(seed)
        grids = [any_grid(rng, kind) for _ in range(2)]
        wide = np.iinfo(kind).bits - 1
        output = any_grid(
            rng, kind, scale=grids[0].scale[0] * grids[1].scale[0] * 2.0 ** rng.uniform(wide - 1, wide + 1)
        )
        arrays = [any_codes(rng, kind, (200, 50)) for _ in range(2)]
        settings = options("MulOptions", FusedActivationFunction=0)
        operands = [operand(x.shape, grid) for x, grid in zip(arrays, grids, strict=True)]
        content = model("MUL", operands, operand((200, 50), output), settings, 4 if kind == "int16" else 2)
        equal(ours(machine, "Mul", {}, arrays, grids, (200, 50), output), run(content, arrays))


@pytest.mark.parametrize("kind", BYTES)
def test_prelu(machine, kind):
    for seed in range(ROUNDS):
        rng = np.random.default_rng(seed)
        grids, output = [any_grid(rng, kind) for _ in range(2)], any_grid(rng, kind)
        arrays = [any_codes(rng, kind, (40, 16)), any_codes(rng, kind, (16,))]
        operands = [operand((40, 16), grids[0]), operand((16,), grids[1], arrays[1])]
        content = model("PRELU", operands, operand((40, 16), output))
        equal(ours(machine, "PRelu", {}, arrays, grids, (40, 16), output, constants=(1,)), run(content, arrays[:1]))


FIRST_VERSION_ONLY = ("RELU_N1_TO_1", "HARD_SWISH")
UNARY = [
    ("Relu", {}, "RELU", None, KINDS),
    ("Clip", {"minimum": 0.0, "maximum": 6.0}, "RELU6", None, KINDS),
    ("Clip", {"minimum": -1.0, "maximum": 1.0}, "RELU_N1_TO_1", None, BYTES),
    ("LeakyRelu", {"alpha": 0.3}, "LEAKY_RELU", ("LeakyReluOptions", {"Alpha": 0.3}), KINDS),
    ("LeakyRelu", {"alpha": -1.7}, "LEAKY_RELU", ("LeakyReluOptions", {"Alpha": -1.7}), KINDS),
    ("HardSwish", {}, "HARD_SWISH", None, BYTES),
    ("Gelu", {"approximate": "none"}, "GELU", ("GeluOptions", {"Approximate": False}), BYTES),
    ("Gelu", {"approximate": "tanh"}, "GELU", ("GeluOptions", {"Approximate": True}), BYTES),
    ("Exp", {}, "EXP", ("ExpOptions", {}), ("int8",)),
]
CASES = [(*row[:4], kind) for row in UNARY for kind in row[4]]


@pytest.mark.parametrize(("op", "attributes", "theirs", "table", "kind"), CASES)
def test_functions_of_one_code(machine, op, attributes, theirs, table, kind):
    info = np.iinfo(kind)
    codes = np.arange(info.min, info.max + 1).astype(kind)
    for seed in range(ROUNDS):
        rng = np.random.default_rng(seed)
        own, output = any_grid(rng, kind), any_grid(rng, kind)
        settings = None if table is None else options(table[0], **table[1])
        version = 1 if theirs in FIRST_VERSION_ONLY else 2
        content = model(theirs, [operand(codes.shape, own)], operand(codes.shape, output), settings, version)
        equal(ours(machine, op, attributes, [codes], [own], codes.shape, output), run(content, [codes]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("op", "theirs"), [("Sigmoid", "LOGISTIC"), ("Tanh", "TANH")])
def test_sigmoids(machine, op, theirs, kind):
    """Their results have one grid for each type."""
    info = np.iinfo(kind)
    codes = np.arange(info.min, info.max + 1).astype(kind)
    if kind == "int16":
        output = grid_of(kind, 2.0**-15)
    elif op == "Sigmoid":
        output = grid_of(kind, 1 / 256, info.min)
    else:
        output = grid_of(kind, 1 / 128, 0 if kind == "int8" else 128)
    for seed in range(ROUNDS):
        rng = np.random.default_rng(seed)
        fine = 2.0 ** -(10 + seed % 5) if seed % 2 else 10 ** rng.uniform(-5, -2)
        own = any_grid(rng, kind, scale=fine if kind == "int16" else None)
        version = 3 if kind == "int16" else 2
        content = model(theirs, [operand(codes.shape, own)], operand(codes.shape, output), None, version)
        equal(ours(machine, op, {}, [codes], [own], codes.shape, output), run(content, [codes]))


QUANTIZED = [(a, b) for a in KINDS for b in KINDS if {a, b} != {"uint8", "int16"}]  # LiteRT has no kernel for that pair


@pytest.mark.parametrize(("source", "target"), QUANTIZED)
def test_quantize_of_codes(machine, source, target):
    info = np.iinfo(source)
    codes = np.arange(info.min, info.max + 1).astype(source)
    for seed in range(ROUNDS):
        rng = np.random.default_rng(seed)
        own = any_grid(rng, source)
        output = any_grid(rng, target, scale=own.scale[0] * 2.0 ** rng.uniform(-2, 2))
        content = model("QUANTIZE", [operand(codes.shape, own)], operand(codes.shape, output), None, 2)
        equal(ours(machine, "Quantize", {}, [codes], [own], codes.shape, output), run(content, [codes]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("op", "theirs"), [("AveragePool", "AVERAGE_POOL_2D"), ("MaxPool", "MAX_POOL_2D")])
def test_pools(machine, op, theirs, kind):
    shape, size = (2, 7, 9, 5), (3, 5)
    for seed in range(ROUNDS):
        rng = np.random.default_rng(seed)
        grid, codes = any_grid(rng, kind), any_codes(rng, kind, shape)
        activation = seed % 2 * 3  # none, RELU6
        choice = {"Padding": 0, "StrideW": 2, "StrideH": 3, "FilterWidth": 3, "FilterHeight": 2}
        settings = options("Pool2DOptions", **choice, FusedActivationFunction=activation)
        content = model(
            theirs, [operand(shape, grid)], operand((2, *size, 5), grid), settings, 3 if kind == "int16" else 2
        )
        attributes = {"kernel": (2, 3), "strides": (3, 2), "pads": (0, 1, 1, 1), "dilations": (1, 1), "ceil_mode": 0}
        attributes |= {"count_include_pad": 0} if op == "AveragePool" else {}
        clamp = (0.0, 6.0) if activation else (None, None)
        expected = run(content, [codes]).transpose(FIRST)
        first = np.ascontiguousarray(codes.transpose(FIRST))
        equal(ours(machine, op, attributes, [first], [grid], expected.shape, grid, clamp=clamp), expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("axes", [(1,), (1, 2), (2, 3), (0, 1, 2, 3)])
@pytest.mark.parametrize("keep", [True, False])
def test_means(machine, kind, axes, keep):
    shape = (2, 7, 9, 5)
    for seed in range(ROUNDS):
        rng = np.random.default_rng(seed)
        own, codes = any_grid(rng, kind), any_codes(rng, kind, shape)
        output = own if seed % 3 == 0 else any_grid(rng, kind, scale=own.scale[0] * 2.0 ** rng.uniform(-3, 1))
        result = codes.sum(axis=axes, keepdims=keep).shape
        dims = Operand((len(axes),), "int32", data=np.array(axes, np.int32))
        settings = options("ReducerOptions", KeepDims=keep)
        content = model(
            "MEAN", [operand(shape, own), dims], operand(result, output), settings, 3 if kind == "int16" else 2
        )
        attributes = {"axes": axes, "keepdims": keep}
        equal(ours(machine, "ReduceMean", attributes, [codes], [own], result, output), run(content, [codes]))


def test_concatenation_moves_unsigned_codes(machine):
    for seed in range(ROUNDS):
        rng = np.random.default_rng(seed)
        grids, output = [any_grid(rng, "uint8") for _ in range(3)], any_grid(rng, "uint8")
        grids[1] = output
        arrays = [any_codes(rng, "uint8", (20, n)) for n in (5, 7, 30)]
        settings = options("ConcatenationOptions", Axis=1, FusedActivationFunction=0)
        operands = [operand(x.shape, grid) for x, grid in zip(arrays, grids, strict=True)]
        content = model("CONCATENATION", operands, operand((20, 42), output), settings, 2)
        equal(ours(machine, "Concat", {"axis": 1}, arrays, grids, (20, 42), output), run(content, arrays))


@pytest.mark.parametrize(
    ("source", "target"),
    [("int8", "int8"), ("uint8", "uint8"), ("int8", "int16"), ("uint8", "int16"), ("int16", "int16")],
)
@pytest.mark.parametrize("length", [2, 10, 300])
def test_softmax(machine, source, target, length):
    for seed in range(ROUNDS):
        rng = np.random.default_rng(seed)
        own = any_grid(rng, source, scale=10 ** rng.uniform(-5, -2.3) if source == "int16" else None)
        codes = any_codes(rng, source, (6, length)) // (1 + 20 * (seed % 2))
        output = {"int8": (1 / 256, -128), "uint8": (1 / 256, 0), "int16": (1 / 32768, 0)}[target]
        output = grid_of(target, *((2.0**-16, -32768) if source != target else output))
        settings = options("SoftmaxOptions", Beta=1.0)
        content = model("SOFTMAX", [operand(codes.shape, own)], operand(codes.shape, output), settings, 3)
        equal(ours(machine, "Softmax", {"axis": 1}, [codes], [own], codes.shape, output), run(content, [codes]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["asymmetric", "align_corners", "half_pixel"])
def test_resize_bilinear(machine, kind, mode):
    for seed in range(ROUNDS):
        rng = np.random.default_rng(seed)
        height, width, rows, columns = (int(value) for value in rng.integers(1, 12, 4))
        codes, grid = any_codes(rng, kind, (1, height, width, 3)), any_grid(rng, kind)
        sizes = Operand((2,), "int32", data=np.array([rows, columns], np.int32))
        flags = {"AlignCorners": mode == "align_corners", "HalfPixelCenters": mode == "half_pixel"}
        settings = options("ResizeBilinearOptions", **flags)
        content = model(
            "RESIZE_BILINEAR", [operand(codes.shape, grid), sizes], operand((1, rows, columns, 3), grid), settings, 3
        )
        attributes = {"mode": "linear", "coordinate_transformation_mode": mode, "nearest_mode": "floor"}
        attributes |= {"scales": (rows / height, columns / width), "output_size": (rows, columns)}
        expected = run(content, [codes]).transpose(FIRST)
        first = np.ascontiguousarray(codes.transpose(FIRST))
        equal(ours(machine, "Resize", attributes, [first], [grid], expected.shape, grid), expected)
