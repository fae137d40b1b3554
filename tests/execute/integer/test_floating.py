"""Layers of a machine with a floating-point multiply-accumulate, against loops that follow the array's order."""

from dataclasses import replace

import numpy as np
import pytest

import hwsim
from hwsim.errors import ExecutionError
from hwsim.execute.integer import Layer, check_executable, run_integer
from hwsim.execute.integer.floating import entering
from hwsim.execute.integer.run import encode_constants
from hwsim.graph import Graph, Node, Tensor
from hwsim.hardware.modes import mode_of
from hwsim.mapping.mapping import Mapping
from hwsim.numerics.float_mac import accumulate, fused, rounded
from hwsim.numerics.formats import FloatFormat, parse_format
from hwsim.numerics.granularity import Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.schedule import schedule
from tests.cost.machines import FLOWS, gemm

EXACT = ["datapath.psum=exact", "datapath.accumulator=exact"]
FP32 = QuantParams(format=FloatFormat.parse("fp32"), scale=(1.0,), saturate=False)


def real_grid(text):
    return QuantParams(format=parse_format(text), scale=(1.0,), saturate=False)


def machine(mode="floating:fp16:fp32", *keys):
    return hwsim.accelerator("edge_16x16", overrides=[f"datapath.mac={mode}", *EXACT, *keys])


def network(weight, activations, result, bias=None, clamp=None):
    """y = x w + b; the weight is a Tensor, activations and result are grids."""
    k, n = weight.shape
    tensors = [
        Tensor(name="x", shape=(4, k), quant=activations),
        replace(weight, name="w"),
        Tensor(name="y", shape=(4, n), quant=result),
    ]
    if bias is not None:
        tensors.append(Tensor(name="b", shape=(n,), data=bias, quant=FP32))
    attributes = {} if clamp is None else {"clamp": clamp}
    inputs = ("x", "w") if bias is None else ("x", "w", "b")
    node = Node(name="fc", op="Gemm", inputs=inputs, outputs=("y",), attributes=attributes)
    return Graph(name="one", nodes=(node,), tensors={t.name: t for t in tensors}, inputs=("x",), outputs=("y",))


def weights(rng, k, n, text, granularity, count, asymmetric=False):
    number = parse_format(text)
    scale = tuple(float(np.float32(value)) for value in rng.uniform(0.01, 0.2, count))
    zeros = (
        tuple(int(v) for v in rng.integers(number.minimum, number.maximum + 1, count)) if asymmetric else (0,) * count
    )
    grid = QuantParams(format=number, scale=scale, zero_point=zeros, granularity=granularity)
    return Tensor.of_codes("w", rng.integers(number.minimum, number.maximum + 1, (k, n)), grid)


def run(graph, x, accelerator, rows=None):
    """The result and its layer, on a mapping of one tile."""
    k, n = graph.tensors["w"].shape
    work = gemm(len(x), k, n, has_bias="b" in graph.tensors)
    mapping = Mapping(gemm=work, array=accelerator.array, tile_m=len(x), tile_k=k, tile_n=n)
    layer = Layer.of(graph, graph.nodes[0], accelerator, mapping)
    return run_integer(graph, {"fc": layer}, {"x": x.astype(np.float32)})["y"], layer


def real_weights(tensor, text):
    """Scale times (code - zero point), one by one, rounded once."""
    grid, number = tensor.quant, parse_format(text)
    scale, zero = (
        np.broadcast_to(grid.granularity.spread(values, tensor.shape), tensor.shape)
        for values in (grid.scales().astype(np.float64), grid.zero_points())
    )
    exact = scale * (tensor.codes.astype(np.float64) - zero)
    return number.decode(number.encode_real(exact, saturate=False))


def one_by_one(x, w, folds, total, bias=None, at_start=False):
    """Every output by the definition."""
    rounded_bias = np.zeros(w.shape[1]) if bias is None else total.decode(total.encode_real(bias))
    result = np.empty((len(x), w.shape[1]))
    for i, j in np.ndindex(*result.shape):
        start = float(rounded_bias[j]) if at_start else 0.0
        found = accumulate(x[i].tolist(), w[:, j].tolist(), segments=folds, total=total, start=start)
        result[i, j] = fused(total, float(rounded_bias[j]), 1.0, found) if bias is not None and not at_start else found
    return result


GRANULARITIES = [
    (Granularity(), 1),
    (Granularity(axis=1), 7),
    (Granularity(axis=0, block=8), 5 * 7),
    (Granularity.of_runs(0, 40, 8, by=1), 5 * 7),
]


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("mode", ["floating:fp16:fp32", "floating:fp16:fp16", "floating:bf16:bf16"])
@pytest.mark.parametrize(("granularity", "count"), GRANULARITIES[:3:2])
def test_every_output_is_summed_in_the_order_of_the_array(flow, mode, granularity, count):
    rng = np.random.default_rng(3)
    operand, total = (parse_format(word) for word in mode.split(":")[1:])
    weight = weights(rng, 40, 7, "int4", granularity, count, asymmetric=True)
    bias = rng.normal(size=7).astype(np.float32)
    number = str(operand)
    graph = network(weight, real_grid(number), real_grid(number), bias)
    x = operand.decode(operand.encode_real(rng.normal(size=(4, 40)) * 3))
    for at in ("start", "end"):
        accelerator = machine(mode, f"array.dataflow={flow}", "array.rows=6", f"datapath.bias={at}")
        codes, layer = run(graph, x, accelerator)
        folds = [6] * 6 + [4] if flow != "output_stationary" else [40]
        assert list(layer.mapping.k_segments) == folds
        sums = one_by_one(x, real_weights(weight, number), folds, total, bias, at == "start")
        np.testing.assert_array_equal(operand.decode(codes), operand.decode(operand.encode_real(sums, saturate=False)))


def test_dataflows_that_fold_otherwise_give_other_sums():
    rng = np.random.default_rng(4)
    weight = weights(rng, 40, 7, "int4", Granularity(), 1)
    graph = network(weight, real_grid("fp16"), None)
    x = rng.normal(size=(4, 40)).astype(np.float16)
    still, moving = (
        run(graph, x, machine("floating:fp16:fp16", f"array.dataflow={flow}", "array.rows=6"))[0]
        for flow in ("output_stationary", "weight_stationary")
    )
    assert (still != moving).any()
    assert still.dtype == np.float32


@pytest.mark.parametrize(("granularity", "count"), GRANULARITIES)
@pytest.mark.parametrize("text", ["int4", "uint4", "int3"])
def test_weights_are_rounded_once_whatever_shares_a_scale(granularity, count, text):
    weight = weights(np.random.default_rng(5), 40, 7, text, granularity, count, asymmetric=True)
    for number in ("fp16", "bf16", "fp8e4m3fn"):
        np.testing.assert_array_equal(
            entering(weight.quant, weight.codes, parse_format(number)), real_weights(weight, number).astype(np.float32)
        )


def test_integer_activations_are_decoded_and_the_result_is_put_on_its_grid():
    rng = np.random.default_rng(6)
    weight = weights(rng, 24, 5, "int8", Granularity(axis=1), 5)
    ifmap = QuantParams(format=parse_format("uint8"), scale=(0.02,), zero_point=(77,))
    ofmap = QuantParams(format=parse_format("uint8"), scale=(0.5,), zero_point=(128,))
    graph = network(weight, ifmap, ofmap, np.zeros(5, np.float32), clamp=(0.0, 20.0))
    codes = rng.integers(0, 256, (4, 24))
    found, layer = run(graph, ifmap.decode(codes), machine())
    x = (np.float64(np.float32(0.02)) * (codes - 77)).astype(np.float16)
    sums = one_by_one(x.astype(np.float64), real_weights(weight, "fp16"), [16, 8], parse_format("fp32"))
    np.testing.assert_array_equal(found, ofmap.encode(np.clip(sums, 0, 20)))
    steps = np.rint(sums / 0.5)
    assert layer.counters.clipped == np.count_nonzero((steps < 0) | (steps > 40))
    assert (layer.counters.outputs, layer.counters.requantized) == (20, 20)
    assert layer.counters.peak == pytest.approx(np.abs(sums).max())


def test_results_may_have_a_scale_per_column():
    rng = np.random.default_rng(10)
    weight = weights(rng, 24, 5, "int8", Granularity(axis=1), 5)
    ofmap = QuantParams(
        format=parse_format("int8"), scale=(0.5, 0.01, 0.02, 0.5, 3.0), zero_point=(0, 1, 2, 3, 4), granularity=Granularity(axis=1)
    )  # fmt: skip
    x = rng.normal(size=(4, 24)).astype(np.float16).astype(np.float32)
    found, layer = run(network(weight, real_grid("fp16"), ofmap), x, machine())
    sums = summed(x, real_weights(weight, "fp16").astype(np.float32), [16, 8])
    np.testing.assert_array_equal(found, ofmap.encode(sums))
    steps = np.rint(sums / ofmap.scales()) + ofmap.zero_points()
    assert layer.counters.clipped == np.count_nonzero((steps < -128) | (steps > 127)) > 0


def test_sums_beyond_fp16_are_infinite_and_counted():
    weight = Tensor.of_codes("w", np.full((8, 2), 7), QuantParams(format=parse_format("int4"), scale=(1.0,)))
    graph = network(weight, real_grid("fp16"), real_grid("fp16"))
    x = np.array([[2000.0] * 8, [1.0] * 8, [-2000.0] * 8, [0.0] * 8], np.float32)
    found, layer = run(graph, x, machine("floating:fp16:fp16"))
    np.testing.assert_array_equal(real_grid("fp16").decode(found)[:, 0], [np.inf, 56, -np.inf, 0])
    assert (layer.counters.overflow_events, layer.counters.overflow_outputs) == (4, 4)
    assert layer.counters.peak == 56


def test_zero_gating_counts_zero_operands():
    weight = Tensor.of_codes("w", np.array([[0, 1], [2, 3]]), QuantParams(format=parse_format("int4"), scale=(1.0,)))
    x = np.array([[0.0, 1.0]] * 4, np.float32)
    _, layer = run(
        network(weight, real_grid("fp16"), None), x, machine("floating:fp16:fp32", "datapath.zero_gating=both")
    )
    assert (layer.counters.active_products, layer.counters.products) == (8, 16)


def test_what_has_no_order_of_rounded_sums_is_refused():
    weight = weights(np.random.default_rng(7), 40, 7, "int4", Granularity(), 1)
    graph, x = network(weight, real_grid("fp16"), None), np.ones((4, 40), np.float32)
    tree = machine("floating:fp16:fp32", "array.adder_tree=4")
    message = "array.adder_tree must be 1 with datapath.mac = floating:fp16:fp32, not 4"
    with pytest.raises(ExecutionError, match=f"layer 'fc': {message}"):
        check_executable(graph, tree)
    with pytest.raises(ExecutionError, match=message):
        run(graph, x, tree)
    with pytest.raises(
        ExecutionError, match=r"layer 'fc': its bias is a number of fp32, which integer sums do not take"
    ):
        check_executable(
            network(weight, real_grid("fp16"), None, np.ones(7, np.float32)), hwsim.accelerator("edge_16x16")
        )


@pytest.mark.parametrize("side", ["start", "end"])
def test_the_recorded_product_gives_its_sums(side):
    """Its operands and constants, accumulated by itself, on the grids that the network has."""
    rng = np.random.default_rng(7)
    bias = rng.standard_normal(2).astype(np.float32)
    graph = network(weights(rng, 8, 2, "int4", Granularity(), 1), real_grid("fp16"), None, bias)
    x, taken = rng.standard_normal((4, 8)).astype(np.float16), []
    found, layer = run(graph, x, machine("floating:fp16:fp32", f"datapath.bias={side}"))
    watched = {"fc": replace(layer, on_product=lambda seen, product: taken.append((seen, product)))}
    run_integer(graph, watched, {"x": x.astype(np.float32)})
    ((seen, product),) = taken
    assert seen.grid(1) == graph.tensors["w"].quant
    starts = product.constant[:, None, :] if side == "start" else 0.0
    sums = product.accumulate(
        product.ifmap, product.weight, [8], accumulator=layer.datapath.accumulator, start=starts
    ).values
    np.testing.assert_array_equal(sums if side == "start" else sums + product.constant[:, None, :], product.sums)
    np.testing.assert_array_equal(product.sums[0], found)
    np.testing.assert_array_equal(product.ifmap[0], x.astype(np.float32))


def test_weights_beyond_the_operand_format_are_refused():
    weight = Tensor.of_codes("w", np.full((8, 2), 7), QuantParams(format=parse_format("int4"), scale=(1e4,)))
    with pytest.raises(
        ExecutionError, match="layer 'fc': 16 values of 'w' lie beyond fp16, whose largest number is 65504"
    ):
        run(network(weight, real_grid("fp16"), None), np.ones((4, 8), np.float32), machine())


class TestConvolutions:
    """Against numpy in fp32 on taps gathered one by one: products of fp16 numbers are exact in fp32."""

    @staticmethod
    def network(op, weight, shape, result, attributes):
        names = ("x", "w", "y")
        tensors = [Tensor(name="x", shape=shape, quant=real_grid("fp16")), weight, Tensor(name="y", shape=result)]
        node = Node(name="conv", op=op, inputs=names[:2], outputs=("y",), attributes=attributes)
        return Graph(name="one", nodes=(node,), tensors={t.name: t for t in tensors}, inputs=("x",), outputs=("y",))

    @pytest.mark.parametrize("groups", [1, 2, 6])
    def test_convolution(self, groups):
        rng = np.random.default_rng(8)
        channels, out = 6, 12
        grid = QuantParams(
            format=parse_format("int4"), scale=tuple(np.float32(rng.uniform(0.1, 1, out)).tolist()),
            zero_point=(0,) * out, granularity=Granularity(axis=0),
        )  # fmt: skip
        weight = Tensor.of_codes("w", rng.integers(-8, 8, (out, channels // groups, 3, 3)), grid)
        attributes = {"kernel": (3, 3), "strides": (2, 1), "pads": (1, 1, 0, 1), "dilations": (1, 1), "groups": groups}
        graph = self.network("Conv", weight, (2, channels, 6, 5), (2, out, 3, 5), attributes)
        x = rng.normal(size=(2, channels, 6, 5)).astype(np.float16).astype(np.float32)
        accelerator = machine("floating:fp16:fp32", "array.rows=8")
        plan = schedule(graph, accelerator).mappings["conv"]
        found = run_integer(graph, {"conv": Layer.of(graph, graph.nodes[0], accelerator, plan)}, {"x": x})["y"]
        np.testing.assert_array_equal(found, convolved(x, real_weights(weight, "fp16"), attributes, plan, (3, 5)))

    def test_transposed_convolution(self):
        rng = np.random.default_rng(9)
        grid = QuantParams(format=parse_format("int4"), scale=(0.3,))
        weight = Tensor.of_codes("w", rng.integers(-8, 8, (3, 4, 2, 2)), grid)
        attributes = {
            "kernel": (2, 2), "strides": (2, 2), "pads": (0, 0, 0, 0), "dilations": (1, 1), "groups": 1, "output_padding": (0, 0),
        }  # fmt: skip
        graph = self.network("ConvTranspose", weight, (1, 3, 3, 3), (1, 4, 6, 6), attributes)
        x = rng.normal(size=(1, 3, 3, 3)).astype(np.float16).astype(np.float32)
        accelerator = machine()
        plan = schedule(graph, accelerator).mappings["conv"]
        found = run_integer(graph, {"conv": Layer.of(graph, graph.nodes[0], accelerator, plan)}, {"x": x})["y"]
        spread = np.zeros((1, 3, 7, 7), np.float32)
        spread[:, :, 1:6:2, 1:6:2] = x
        flipped = real_weights(weight, "fp16").transpose(1, 0, 2, 3)[:, :, ::-1, ::-1]
        plain = {**attributes, "strides": (1, 1)}
        np.testing.assert_array_equal(found, convolved(spread, flipped, plain, plan, (6, 6)))


def convolved(x, w, attributes, plan, size):
    """Sums in fp32, output pixel by output pixel: folds of k in the plan's order, each from zero."""
    groups, (sy, sx) = attributes["groups"], attributes["strides"]
    top, left, bottom, right = attributes["pads"]
    padded = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    out, per_group, kh, kw = w.shape
    order = plan.k_permutation if plan.k_permutation is not None else np.arange(per_group * kh * kw)
    result = np.empty((len(x), out, *size), np.float32)
    kernels = w.reshape(out, -1)[:, order].astype(np.float32)
    for row, column in np.ndindex(*size):
        for group in range(groups):
            span = slice(group * per_group, (group + 1) * per_group)
            window = padded[:, span, row * sy : row * sy + kh, column * sx : column * sx + kw]
            window = window.reshape(len(x), -1)[:, order].astype(np.float32)
            mine = slice(group * (out // groups), (group + 1) * (out // groups))
            result[:, mine, row, column] = summed(window, kernels[mine].T, plan.k_segments)
    return result


def summed(x, w, folds):
    """fp32 [m, n] of x [m, k] by w [k, n]: numpy rounds every product, which is exact, and every sum."""
    total, k = np.zeros((len(x), w.shape[1]), np.float32), 0
    for fold in folds:
        psum = np.zeros_like(total)
        for i in range(k, k + fold):
            psum = psum + x[:, i : i + 1] * w[i]
        total, k = total + psum, k + fold
    return total


@pytest.fixture(scope="module")
def quantized():
    """Return digits_mobilenet with 4-bit weights and fp16 activations."""
    calibration = hwsim.dataset("digits_mobilenet", "calibration")
    return hwsim.quantize(hwsim.load("digits_mobilenet"), weights="int4", activations="fp16", calibration=calibration)


@pytest.fixture(scope="module")
def images():
    return {name: array[:60] for name, array in hwsim.dataset("digits_mobilenet", "test").items()}


def test_grids(quantized):
    for tensor in quantized.tensors.values():
        assert tensor.quant is not None
        assert str(tensor.quant.format) in ("fp16", "fp32", "int4")
        assert tensor.quant.scale == (1.0,) or str(tensor.quant.format) == "int4"


def test_it_runs_and_every_array_layer_is_numpys(quantized, images):
    accelerator = machine()
    mappings = schedule(quantized, accelerator).mappings
    layers = {node.name: Layer.of(quantized, node, accelerator, mappings.get(node.name)) for node in quantized.nodes}
    seen = {}
    x = {name: images[name][:2] for name in quantized.inputs}
    first = run_integer(quantized, layers, x, observe=seen.__setitem__)
    again = run_integer(quantized, layers, x)
    np.testing.assert_array_equal(first[quantized.outputs[0]], again[quantized.outputs[0]])
    constants, checked = encode_constants(quantized), []
    for node in quantized.nodes:
        plan = mappings.get(node.name)
        if plan is None:
            continue
        x_name, w_name, b_name = node.inputs
        values = quantized.tensors[x_name].quant.decode(seen[x_name])
        w = quantized.tensors[w_name]
        kernel = real_weights(replace(w, codes=constants[w_name]), "fp16")
        bias = np.asarray(w_bias := quantized.tensors[b_name].data, np.float32)
        assert bias.shape == w_bias.shape
        if node.op == "Conv":
            sums = convolved(values, kernel, node.attributes, plan, seen[node.outputs[0]].shape[2:])
            sums = sums + bias.reshape(1, -1, 1, 1)
        else:
            sums = summed(values, kernel.astype(np.float32), plan.k_segments) + bias.reshape(1, -1)
        low, high = node.clamp
        expected = np.clip(sums, low, high).astype(np.float16).view(np.uint16)
        np.testing.assert_array_equal(seen[node.outputs[0]], expected, err_msg=node.name)
        checked.append(node.op)
    assert len(checked) >= 10


def test_four_bits_cost_little_and_sums_in_fp32_overflow_nowhere(quantized, images):
    result = hwsim.simulate(quantized, machine(), images)
    assert result.summary["metrics"]["accuracy"] >= result.summary["metrics"]["float_accuracy"] - 0.02
    assert not any(row["overflow_events"] for row in result.layers.rows())


def test_the_modes_arithmetic():
    mac = mode_of("floating:fp8e4m3fn:fp16").arithmetic
    assert (str(mac.operand), str(mac.total)) == ("fp8e4m3fn", "fp16")
    assert rounded(mac.operand, 448 + 15) == 448
