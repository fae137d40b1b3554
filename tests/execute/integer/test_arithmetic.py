"""The conventions of ``datapath.arithmetic``: what each computes in its own way, and where ``native`` holds."""

import math
from fractions import Fraction

import numpy as np
import pytest

from hwsim.errors import ExecutionError
from hwsim.execute.float32.registry import FLOAT_OPS
from hwsim.execute.integer import Layer, run_integer
from hwsim.execute.integer.arithmetic import operators
from hwsim.graph import OPS, Graph, Node, Tensor, Work
from hwsim.hardware import load_accelerator
from hwsim.hardware.runtimes import RUNTIMES
from hwsim.interchange.shapes import output_shapes
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.vector import NATIVE, names

CONVENTIONS = [name for name in names() if name != NATIVE]
SHAPE = (2, 3, 6, 5)
POOL = {"kernel": (3, 2), "strides": (2, 1), "pads": (1, 0, 0, 1), "dilations": (1, 1), "ceil_mode": 0}
SAMPLES = {
    "Add": (2, {}),
    "Sub": (2, {}),
    "Sum": (3, {}),
    "Mul": (2, {}),
    "PRelu": (2, {}),
    "Concat": (2, {"axis": 1}),
    "MaxPool": (1, POOL),
    "AveragePool": (1, POOL | {"count_include_pad": 0}),
    "GlobalAveragePool": (1, {}),
    "ReduceMean": (1, {"axes": (2,), "keepdims": True}),
    "Relu": (1, {}),
    "Clip": (1, {"minimum": -0.5, "maximum": 1.0}),
    "LeakyRelu": (1, {"alpha": 0.1}),
    "HardSwish": (1, {}),
    "Sigmoid": (1, {}),
    "Tanh": (1, {}),
    "Exp": (1, {}),
    "Sqrt": (1, {}),
    "Erf": (1, {}),
    "Gelu": (1, {"approximate": "none"}),
    "Quantize": (1, {}),
    "Softmax": (1, {"axis": 1}),
    "LayerNormalization": (1, {"axis": 3, "epsilon": 0.0}),
    "Resize": (
        1,
        {
            "mode": "linear",
            "coordinate_transformation_mode": "half_pixel",
            "nearest_mode": "floor",
            "scales": (2.0, 2.0),
            "output_size": (12, 10),
        },
    ),
}
RESULT = {"Softmax": (1 / 256, 0), "Sigmoid": (1 / 256, 0), "Tanh": (1 / 128, 128)}  # grids from the smallest code on
SAME_GRID = ("MaxPool", "AveragePool", "Resize")
# what is not the function itself: I-BERT's polynomial for erf jumps by 0.096 on either side of 0
COARSE = {("ibert", "Erf"): 0.1, ("ibert", "Gelu"): 0.02}


def grid(kind, scale, zero=0):
    return QuantParams(format=IntFormat.parse(kind), scale=(float(np.float32(scale)),), zero_point=(zero,))


def sample(op, kind, rng, *, clamp=(None, None)):
    """Return a graph of one operator on grids of ``kind``, and real inputs on them."""
    count, attributes = SAMPLES[op]
    number = IntFormat.parse(kind)
    step, middle = 8.0 / number.levels, (number.minimum + number.maximum + 1) // 2
    grids = [grid(kind, step * factor, middle + zero) for factor, zero in ((1.0, 3), (0.7, -2), (0.4, 0))][:count]
    tensors = [Tensor(name=f"x{i}", shape=SHAPE, quant=own) for i, own in enumerate(grids)]
    if op == "PRelu":
        slope = rng.integers(number.minimum, number.maximum + 1, (3, 1, 1))
        tensors[1] = Tensor.of_codes("x1", slope, grids[1])
    names = [tensor.name for tensor in tensors]
    if op == "LayerNormalization":
        weights = rng.uniform(0.5, 1.5, (2, 5)).astype(np.float32)
        tensors += [Tensor(name=f"w{i}", shape=(5,), data=row) for i, row in enumerate(weights)]
        names += ["w0", "w1"]
    shape = output_shapes(op, attributes, [tensor.shape for tensor in tensors])[0]
    result = grid(kind, step * 2, middle + 1)
    if op in SAME_GRID:
        result = grids[0]
    elif number.bits == 8 and op in RESULT:
        result = grid(kind, RESULT[op][0], number.minimum + RESULT[op][1])
    tensors.append(Tensor(name="y", shape=tuple(shape), quant=result))
    node = Node(name="node", op=op, inputs=tuple(names), outputs=("y",), attributes={**attributes, "clamp": clamp})
    given = tuple(name for name in names if name.startswith("x") and not (op == "PRelu" and name == "x1"))
    graph = Graph(name="one", nodes=(node,), tensors={t.name: t for t in tensors}, inputs=given, outputs=("y",))
    codes = {name: rng.integers(number.minimum, number.maximum + 1, SHAPE) for name in given}
    return graph, {name: graph.tensors[name].quant.decode(array) for name, array in codes.items()}


def run(graph, inputs, arithmetic):
    machine = load_accelerator("edge_16x16", overrides=[f"datapath.arithmetic={arithmetic}"])
    layer = Layer.of(graph, graph.nodes[0], machine, None)
    return run_integer(graph, {"node": layer}, inputs)["y"], layer


@pytest.mark.parametrize("arithmetic", CONVENTIONS)
def test_tables_name_operators_of_the_vector_unit(arithmetic):
    table = operators(arithmetic)
    assert table
    assert {op for op in table if op not in OPS or OPS[op].work is Work.GEMM} == set()
    assert set(table) <= set(SAMPLES)  # so that every one of them is run below


def test_every_runtime_names_a_convention():
    assert {keys["arithmetic"] for keys in RUNTIMES.values()} <= set(names())


def test_an_unknown_convention():
    with pytest.raises(ExecutionError, match="arithmetic 'abacus' has no operators"):
        operators("abacus")


@pytest.mark.parametrize(("arithmetic", "op"), [(name, op) for name in CONVENTIONS for op in sorted(operators(name))])
@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "int4"])
def test_every_operator_is_the_real_one_within_two_steps(arithmetic, op, kind):
    """In the convention's own way or as ``native``: the codes of the real function, in the result's type and shape."""
    rng = np.random.default_rng(0)
    graph, inputs = sample(op, kind, rng)
    got, _ = run(graph, inputs, arithmetic)
    output = graph.tensors["y"].quant
    assert (got.shape, got.dtype) == (graph.tensors["y"].shape, output.storage_dtype)
    node = graph.nodes[0]
    operands = [inputs[name] if name in inputs else graph.tensors[name].data for name in node.inputs]
    with np.errstate(all="ignore"):
        real = FLOAT_OPS[op](node, operands)[0]
    exact = np.clip(np.nan_to_num(real), *output.decode(np.array([output.integers.minimum, output.integers.maximum])))
    error = np.abs(output.decode(got) - exact)
    if op == "Sqrt":
        error = error[real >= 0]
    tolerance = 2.01 * output.scale[0] + COARSE.get((arithmetic, op), 4e-3)
    assert error.max() <= tolerance


@pytest.mark.parametrize("arithmetic", CONVENTIONS)
@pytest.mark.parametrize("op", ["Add", "Mul", "AveragePool", "LeakyRelu", "Softmax"])
def test_formats_without_a_kernel_are_native_or_float32(arithmetic, op):
    graph, inputs = sample(op, "int4", np.random.default_rng(1))
    got, _ = run(graph, inputs, arithmetic)
    native, _ = run(graph, inputs, NATIVE)
    node, output = graph.nodes[0], graph.tensors["y"].quant
    float32 = output.encode(FLOAT_OPS[op](node, [inputs[name] for name in node.inputs])[0])
    own = arithmetic == "ibert" and op == "Softmax"  # integers of any width
    assert own or (got == native).all() or (got == float32).all()


@pytest.mark.parametrize("arithmetic", CONVENTIONS)
@pytest.mark.parametrize("op", ["Add", "Mul", "AveragePool", "GlobalAveragePool", "LeakyRelu"])
def test_a_fused_clamp_bounds_codes_and_is_counted(arithmetic, op):
    graph, inputs = sample(op, "int8", np.random.default_rng(2), clamp=(-0.1, 0.2))
    free, _ = sample(op, "int8", np.random.default_rng(2))
    got, layer = run(graph, inputs, arithmetic)
    unbounded, _ = run(free, inputs, arithmetic)
    low, high = (int(end) for end in graph.tensors["y"].quant.encode(np.array([-0.1, 0.2])))
    assert (got == np.clip(unbounded, low, high)).all()
    assert layer.counters.clipped == ((unbounded < low) | (unbounded > high)).sum() or op == "LeakyRelu"


def test_tflite_averages_raw_codes_halves_away():
    """Without zero point or scale: a mean of codes, over the elements that a window has."""
    for kind in ("int8", "uint8", "int16"):
        graph, inputs = sample("AveragePool", kind, np.random.default_rng(5))
        got, _ = run(graph, inputs, "tflite")
        codes = graph.tensors["x0"].quant.encode(inputs["x0"]).astype(int)
        for (n, c, y, x), code in np.ndenumerate(got):
            window = codes[n, c, max(0, 2 * y - 1) : 2 * y + 2, x : x + 2].reshape(-1).tolist()
            mean = Fraction(sum(window), len(window))
            assert code == (1 if mean >= 0 else -1) * math.floor(abs(mean) + Fraction(1, 2))


def test_conventions_differ():
    """The same Add has other codes in each; what it costs to name the wrong one."""
    graph, inputs = sample("Add", "int8", np.random.default_rng(3))
    results = {name: run(graph, inputs, name)[0] for name in (NATIVE, "onnxruntime", "tflite")}
    assert all((results[name] != results["tflite"]).any() for name in (NATIVE, "onnxruntime"))


def test_the_softmaxes_differ_where_they_should():
    graph, inputs = sample("Softmax", "int8", np.random.default_rng(4))
    results = [run(graph, inputs, name)[0].astype(int) for name in ("onnxruntime", "tflite", "ibert")]
    for result in results:
        assert np.abs(result - results[0]).max() <= 2
        assert np.abs((result + 128).sum(axis=1) - 256).max() <= 4
