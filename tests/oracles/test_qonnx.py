"""QONNX's own operator functions, and models inside its wheel, against ours: equal, bit for bit.

The functions compute on float32 arrays, as in its execution. Seeds are fixed; every rounding mode, width 1 to 16 (and 24 and
32), signedness, narrowness, zero points and scales of many sizes are drawn.
"""

from pathlib import Path

import numpy as np
import onnx
import pytest

import hwsim
from hwsim.execute.integer.run import encode_constants, operator_of
from hwsim.interchange.onnx import read_onnx
from hwsim.interchange.qonnx import write_qonnx
from hwsim.interchange.qonnx.grids import bipolar_grid, float_format, float_grid, integer_grid
from hwsim.numerics.bounds import exact_range
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.multithreshold import count_reached, least_codes
from hwsim.numerics.qonnx import ROUNDINGS
from tests.integers import every_tensor, layers_of
from tests.interchange.qonnx.reference import build

MISSING = "qonnx 1.0 is not installed (pip install .[oracle])"
intquant = pytest.importorskip("qonnx.custom_op.general.intquant", reason=MISSING)
pytestmark = pytest.mark.oracle
MODES = sorted(ROUNDINGS)
WIDTHS = [*range(1, 17), 24, 32]


def reals(rng, scale, number, zero_point, count=400):
    """Draw numbers around the grid, ties, neighbours of ties, both ends and far beyond."""
    low, high = number.minimum - zero_point - 3, number.maximum - zero_point + 3
    steps = rng.uniform(low, high, count)
    ties = np.floor(steps[: count // 4]) + 0.5
    values = np.concatenate(
        [steps, ties, np.floor(steps[: count // 4]), rng.normal(size=20) * (high - low) * 50, [0.0, -0.0]]
    )
    values = (values * scale).astype(np.float32)
    return np.concatenate([values, np.nextafter(values, np.float32(np.inf)), np.nextafter(values, np.float32(-np.inf))])


def formats(bits):
    for signed in (True, False):
        for narrow in (False, True):
            if bits > 1 or not narrow:
                yield IntFormat(bits=bits, signed=signed, narrow=narrow)


def scales(rng):
    return [np.float32(value) for value in (1.0, 0.25, 2.0**-7, rng.uniform(0.001, 3), 10.0 ** rng.uniform(-8, 4))]


def int_quant(x, scale, zero_point, number, mode):
    bits = np.float32(number.bits)
    return intquant.int_quant(x, scale, np.float32(zero_point), bits, number.signed, number.narrow, mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("bits", WIDTHS)
def test_int_quant(bits, mode):
    rng = np.random.default_rng([bits, MODES.index(mode)])
    for number in formats(bits):
        for scale in scales(rng):
            zeros = {0} if bits > 16 else {0, int(rng.integers(number.minimum, number.maximum + 1)), number.maximum}
            for zero_point in zeros:
                x = reals(rng, float(scale), number, zero_point)
                if bits == 1 and number.signed:
                    if zero_point:
                        continue
                    grid = bipolar_grid(np.array(scale), x.shape)
                else:
                    grid = integer_grid(
                        np.array(scale), np.array(zero_point, np.float32), number, ROUNDINGS[mode], x.shape
                    )
                with np.errstate(over="ignore"):
                    expected = int_quant(x, scale, zero_point, number, mode)
                codes = grid.encode(x)
                assert expected.dtype == np.float32
                ends = (
                    grid.decode(np.array([number.minimum, number.maximum]))
                    if not (bits == 1 and number.signed)
                    else None
                )
                if (
                    bits >= 24 and mode == "HALF_UP"
                ):  # 2^24 - 1 + 0.5 is 2^24 in float32: qonnx leaves its own format there
                    expected = np.clip(expected, *ends)
                wrong = np.flatnonzero(grid.decode(codes) != expected)
                assert not wrong.size, (
                    str(number),
                    scale,
                    zero_point,
                    x[wrong[:3]],
                    codes[wrong[:3]],
                    expected[wrong[:3]],
                )


@pytest.mark.parametrize("axis", [0, 1, 3])
def test_int_quant_per_channel(axis):
    rng = np.random.default_rng(axis)
    for _ in range(50):
        x = rng.normal(size=(3, 4, 2, 5)).astype(np.float32)
        shape = tuple(size if dim == axis else 1 for dim, size in enumerate(x.shape))
        scale = rng.uniform(0.01, 0.5, shape).astype(np.float32)
        number = IntFormat(bits=int(rng.integers(2, 9)), signed=bool(rng.integers(2)))
        zero = rng.integers(number.minimum, number.maximum + 1, shape).astype(np.float32)
        grid = integer_grid(scale, zero, number, ROUNDINGS["ROUND"], x.shape)
        assert grid.granularity.axis == axis
        assert np.array_equal(grid.decode(grid.encode(x)), int_quant(x, scale, zero, number, "ROUND"))


def test_bipolar_quant():
    binary_quant = pytest.importorskip("qonnx.custom_op.general.bipolar_quant", reason=MISSING).binary_quant
    rng = np.random.default_rng(0)
    for scale in scales(rng):
        x = np.concatenate([rng.normal(size=500), [0.0, -0.0, 1e-45, -1e-45, np.inf, -np.inf]]).astype(np.float32)
        grid = bipolar_grid(np.array(scale), x.shape)
        assert np.array_equal(grid.decode(grid.encode(x)), binary_quant(x, scale))


FLOATS = [(4, 3, 7, 448.0, 0, 1), (5, 2, 15, 57344.0, 1, 1), (4, 3, 8, 240.0, 0, 1), (2, 1, 1, 6.0, 0, 0),
          (2, 3, 1, 7.5, 0, 0), (3, 2, 3, 28.0, 0, 0), (5, 10, 15, 65504.0, 1, 1), (8, 7, 127, 3.3895313892515355e38, 1, 1),
          (3, 4, -2, 1e9, 0, 0), (1, 2, 1, 3.5, 0, 0), (5, 2, 15, 1e9, 0, 0), (4, 0, 7, 256.0, 0, 0), (4, 3, 7, 416.0, 0, 1)]  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("layout", FLOATS)
def test_float_quant(layout, mode):
    """qonnx takes ``log2`` in float32, which puts the last few numbers below a power of two one octave too high.

    There the directed roundings differ, and those numbers (relative distance below 2^-20) are left out; so are numbers below
    2^-100, to which it adds the smallest normal float32 before it takes the logarithm.
    """
    floatquant = pytest.importorskip("qonnx.custom_op.general.floatquant", reason=MISSING)
    exponent_bits, mantissa_bits, bias, largest, has_inf, has_nan = layout
    rng = np.random.default_rng([MODES.index(mode), FLOATS.index(layout)])
    number = float_format(exponent_bits, mantissa_bits, bias, largest, has_inf=bool(has_inf), has_nan=bool(has_nan))
    for scale in scales(rng):
        with np.errstate(over="ignore"):
            octaves = rng.uniform(number.finest - 3, np.log2(number.maximum) + 2, 3000)
            x = (rng.choice([-1, 1], 3000) * 2.0**octaves * float(scale)).astype(np.float32)
            grid_points = rng.integers(-(2 << mantissa_bits), 2 << mantissa_bits, 1000) * 2.0 ** (
                rng.integers(number.finest - 1, int(np.log2(number.maximum)) - mantissa_bits + 1, 1000)
            )
            x = np.concatenate([x, (grid_points * float(scale)).astype(np.float32), np.float32([0.0, -0.0])])
        with np.errstate(over="ignore"):
            quotient = np.abs(x / scale).astype(np.float64)
        keep = np.isfinite(x) & np.isfinite(quotient) & (np.abs(x) >= np.finfo(np.float32).tiny)
        keep &= (quotient == 0) | (quotient > 2.0**-100)
        above = 2.0 ** np.ceil(np.log2(np.maximum(quotient, 1e-300)))
        keep &= (quotient >= above) | (quotient < above * (1 - 2.0**-20))
        x = x[keep]
        grid = float_grid(np.array(scale), number, ROUNDINGS[mode], True, x.shape)
        arguments = (np.float32(value) for value in (exponent_bits, mantissa_bits, bias))
        with np.errstate(over="ignore", invalid="ignore"):
            expected = floatquant.float_quant(
                x.copy(), scale, *arguments, True, np.float32(largest), bool(has_inf), bool(has_nan), True, mode, True
            ).astype(np.float32)
        codes = grid.encode(x)
        wrong = np.flatnonzero(grid.decode(codes) != expected)
        assert not wrong.size, (
            layout,
            scale,
            len(wrong),
            x[wrong[:3]],
            grid.decode(codes)[wrong[:3]],
            expected[wrong[:3]],
        )


def test_multithreshold():
    multithreshold = pytest.importorskip("qonnx.custom_op.general.multithreshold", reason=MISSING).multithreshold
    rng = np.random.default_rng(7)
    for case in range(400):
        channels, count = int(rng.integers(1, 6)), int(rng.integers(1, 40))
        shape = (2, channels, 3, 4)[: int(rng.integers(2, 5))]
        integers = bool(case % 2)
        rows = 1 if case % 3 == 0 else channels
        thresholds = rng.normal(size=(rows, count)) * 20
        thresholds = (np.rint(thresholds) if integers else thresholds).astype(np.float32)
        scale = np.float32(1.0 if integers else rng.uniform(0.01, 1))
        codes = rng.integers(-60, 60, shape)
        decoded = codes.astype(np.float32) * scale
        expected = multithreshold(decoded, thresholds)
        assert np.array_equal(count_reached(decoded, thresholds, 1), expected)
        assert np.array_equal(count_reached(codes, least_codes(thresholds, np.array([scale])), 1), expected)


def test_matvec_accumulator_range():
    basic = pytest.importorskip("qonnx.util.basic", reason=MISSING)
    datatype = pytest.importorskip("qonnx.core.datatype", reason=MISSING).DataType
    rng = np.random.default_rng(3)
    for _ in range(300):
        weight = rng.integers(-128, 128, (int(rng.integers(1, 40)), int(rng.integers(1, 10)))).astype(np.float32)
        signed, bits = bool(rng.integers(2)), int(rng.integers(1, 17)) + 1
        number = IntFormat(bits=bits, signed=signed)
        expected = basic.calculate_matvec_accumulator_range(weight, datatype[f"{'' if signed else 'U'}INT{bits}"])
        found = exact_range(weight.astype(np.int64), number.minimum, number.maximum)
        assert found == tuple(int(end) for end in expected)


MACHINE = hwsim.accelerator(
    "edge_16x16", overrides=["datapath.psum=exact", "datapath.accumulator=exact", "datapath.requantizer=float32"]
)
FOLDER = Path(intquant.__file__).parents[2] / "data"
QUANTIZERS = {"Quant", "IntQuant", "BipolarQuant", "FloatQuant", "Trunc", "MultiThreshold"}


def wheel_models():
    """The files inside the wheel that quantize anything."""
    found = sorted(FOLDER.rglob("*.onnx"))
    return [path for path in found if QUANTIZERS & {node.op_type for node in onnx.load(path).graph.node}]


@pytest.fixture
def execute(monkeypatch):
    """Return qonnx's execution of a model: every tensor by name."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes

    monkeypatch.setattr(onnx, "IR_VERSION", 10)  # qonnx writes one-node models of the newest IR, which ORT may not know

    def run(path, inputs):
        model = ModelWrapper(str(path)).transform(InferShapes())
        return execute_onnx(model, inputs, return_full_exec_context=True)

    return run


def drawn(graph, path):
    """Images in 0..1, or whole numbers where the file says that the input holds such."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.util.basic import gen_finn_dt_tensor

    rng = np.random.default_rng(0)
    inputs = {}
    for name in graph.inputs:
        shape, kind = graph.tensors[name].shape, ModelWrapper(str(path)).get_tensor_datatype(name)
        real = rng.uniform(0, 1, shape).astype(np.float32)
        inputs[name] = gen_finn_dt_tensor(kind, shape).astype(np.float32) if kind.is_integer() else real
    return inputs


def apart(graph, found, context):
    """Return, over all tensors with grids, the codes in all, those that differ, and the largest difference."""
    count = differ = worst = 0
    for name, codes in found.items():
        grid = graph.tensors[name].quant
        if grid is not None and name in context and name not in graph.inputs:
            steps = np.abs(grid.decode(codes) - context[name]) / float(grid.scales().max())
            count, differ = count + steps.size, differ + int(np.count_nonzero(steps > 0.5))
            worst = max(worst, float(steps.max()))
    return count, differ, worst


@pytest.mark.parametrize("path", wheel_models(), ids=lambda path: str(path.relative_to(FOLDER)))
def test_every_operator_of_the_models_in_the_wheel(path, execute):
    """Each operator gets qonnx's own operands: quantizers are equal bit for bit, sums of floats to their last bits."""
    graph = read_onnx(path)
    inputs = drawn(graph, path)
    context, layers, constants = execute(path, inputs), layers_of(graph, MACHINE), encode_constants(graph)
    quantized = 0
    for node in graph.nodes:
        operands = []
        for name in node.inputs:
            grid = graph.tensors[name].quant
            value = constants[name] if name in constants else context.get(name, inputs.get(name))
            operands.append(value if name in constants or grid is None else grid.encode(value))
        (result,) = operator_of(layers[node.name])(layers[node.name], operands)
        expected, grid = context[node.outputs[0]], graph.tensors[node.outputs[0]].quant
        if grid is not None:
            quantized += 1
            assert np.array_equal(grid.decode(result), expected), node.name
        else:
            assert np.abs(result - expected).max() <= 2e-6 * max(1.0, float(np.abs(expected).max())), node.name
    assert quantized


@pytest.mark.parametrize("path", wheel_models(), ids=lambda path: str(path.relative_to(FOLDER)))
def test_the_models_in_the_wheel_end_to_end(path, execute):
    """As the file writes it, and as hardware runs it. A float sum beside a tie flips a code now and then, by one."""
    graph = read_onnx(path)
    inputs = drawn(graph, path)
    context = execute(path, inputs)
    for each in (graph, hwsim.load(path)):
        count, differ, worst = apart(each, every_tensor(each, MACHINE, inputs), context)
        assert differ <= 3e-4 * count
        assert worst < 3.5


@pytest.mark.parametrize(
    "folder", sorted({path.parent for path in FOLDER.rglob("output.npy")}), ids=lambda path: path.parent.name
)
def test_golden_data_in_the_wheel(folder):
    (path,) = folder.parent.glob("*.onnx")
    graph = read_onnx(path)
    (name,) = graph.inputs
    inputs = {name: np.load(folder / "input.npy")}
    expected = np.load(folder / "output.npy")
    found = every_tensor(graph, MACHINE, inputs)
    assert np.array_equal(found[graph.outputs[0]], expected)
    with np.load(folder / "activation.npz") as golden:
        first, weight = graph.nodes[0].outputs[0], graph.tensors[graph.nodes[-1].inputs[1]]
        assert np.array_equal(graph.tensors[first].quant.decode(found[first]), golden["input_quant"])
        assert np.array_equal(np.asarray(weight.data).T, golden["weight_quant"])
    exact = every_tensor(hwsim.load(path), MACHINE, inputs)[graph.outputs[0]]
    np.testing.assert_allclose(exact, expected, rtol=0, atol=2e-7)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("version", [1, 2])
def test_trunc(version, mode):
    """Integers of a first Quant, summed and shifted; the values of both versions."""
    trunc = pytest.importorskip("qonnx.custom_op.general.trunc", reason=MISSING)
    rng = np.random.default_rng([version, MODES.index(mode)])
    for _ in range(60):
        in_bits = int(rng.integers(4, 17))
        out_bits = int(rng.integers(1 if version == 1 else 2, in_bits + 1))
        signed, narrow = bool(rng.integers(2)), bool(rng.integers(2))
        number = IntFormat(bits=in_bits, signed=signed)
        scale = np.float32(rng.choice([1.0, 0.25, rng.uniform(0.01, 2)]))
        step = 1 << (in_bits - out_bits)
        zero = np.float32(step if version == 2 and rng.integers(2) and number.maximum > step else 0)
        x = (rng.integers(number.minimum, number.maximum + 1, (1, 400)) - zero).astype(np.float32) * scale
        bits = [np.float32(in_bits), np.float32(out_bits)]
        with np.errstate(divide="ignore"):
            if version == 1:
                expected = trunc.trunc_v1(x, scale, zero, *bits, mode)
                constants, more = {"i": bits[0], "o": bits[1]}, {}
            else:
                fine = np.float32(scale * 2.0 ** (in_bits - out_bits))
                expected = trunc.trunc_v2(x, scale, zero, bits[0], narrow, signed, fine, bits[1], mode)
                constants = {"i": bits[0], "p": fine, "o": bits[1]}
                more = {"signed": int(signed), "narrow": int(narrow)}
        attributes = {"rounding_mode": mode, **more}
        operands = ["x", "s", "z", *constants]
        model = build([("Trunc", operands, ["y"], attributes)], {"x": [1, 400]}, {"s": scale, "z": zero, **constants})
        graph = read_onnx(model)
        grid = graph.tensors["y"].quant
        assert np.array_equal(grid.decode(every_tensor(graph, MACHINE, {"x": x})["y"]), expected.astype(np.float32))


@pytest.mark.parametrize("network", ["digits_resnet", "digits_mobilenet"])
@pytest.mark.parametrize("widths", [("int8", "uint8"), ("int4", "uint4"), ("int5", "uint6"), ("int3", "int7")])
def test_qonnx_executes_what_we_write(network, widths, execute, tmp_path):
    """Every tensor; a requantized code beside a tie may be the next one."""
    graph = hwsim.load(network, batch=20)
    inputs = {name: hwsim.dataset(network, "test")[name][:20].astype(np.float32) for name in graph.inputs}
    shown = hwsim.dataset(network, "calibration")
    quantized = hwsim.quantize(graph, weights=widths[0], activations=widths[1], calibration=shown)
    write_qonnx(quantized, tmp_path / "q.onnx")
    found = {
        name: codes for name, codes in every_tensor(quantized, MACHINE, inputs).items() if name not in quantized.inputs
    }
    count, differ, worst = apart(quantized, found, execute(tmp_path / "q.onnx", inputs))
    assert count > 2e5
    assert differ <= 1e-5 * count
    assert worst < 1.5
