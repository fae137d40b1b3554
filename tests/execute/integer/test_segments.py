"""Products whose scales change along k, against the reference of ``segmented``."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hwsim
from hwsim.errors import ExecutionError
from hwsim.execute.integer import Layer, check_executable, run_integer
from hwsim.execute.integer.segments import segments_of_folds
from hwsim.graph import OPS, Graph, Node, Tensor, Work, runs_on_array
from hwsim.graph.fusion import bias_params
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.mx import MxFormat
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.requantizers import definition
from hwsim.numerics.sparsity import Sparsity
from hwsim.schedule import schedule
from tests.execute.integer.segmented import as_rows, computed, grid, machine, network, reference

REGISTERS = [
    ("exact", "exact"),
    ("int24:wrap", "int32:wrap"),
    ("int9:wrap", "int18:saturate"),
    ("int10:saturate", "int14:wrap"),
]
SCALINGS = [
    "fixed_point:16:8",
    "fixed_point:5:2:half_even",
    "fixed_point:8:12:floor",
    "shift:8",
    "shift:1:half_up",
    "float32",
]


@settings(deadline=None, max_examples=120)
@given(
    st.integers(0, 2**32 - 1), st.sampled_from(["Conv1", "Conv3", "Gemm", "MatMul", "ConvTranspose"]), st.booleans(),
    st.sampled_from(REGISTERS), st.sampled_from(SCALINGS), st.sampled_from(["folded", "subtracted"]),
    st.sampled_from(["start", "end"]), st.sampled_from(["kernel_channel", "channel_kernel"]),
    st.sampled_from(["weight_stationary", "output_stationary", "input_stationary"]),
)  # fmt: skip
def test_codes_are_those_of_the_definition(
    seed, op, by_channel, registers, scaling, zero_point, bias, k_order, dataflow
):
    rng = np.random.default_rng(seed)
    graph = network(rng, op, by_channel=by_channel, power_of_two=scaling.startswith("shift"))
    accelerator = machine(
        f"datapath.psum={registers[0]}", f"datapath.accumulator={registers[1]}", f"datapath.segment_scaling={scaling}",
        f"datapath.zero_point={zero_point}", f"datapath.bias={bias}", f"array.k_order={k_order}",
        f"array.dataflow={dataflow}",
    )  # fmt: skip
    assert runs_on_array(graph, graph.nodes[0])
    check_executable(graph, accelerator)
    codes = rng.integers(0, 256, graph.tensors["x"].shape)
    found, layer = computed(graph, accelerator, codes)
    if layer.segments is None:
        return
    values, units, events = reference(graph, accelerator, layer.mapping, codes)
    output = graph.tensors["y"].quant
    scales, zeros = (np.broadcast_to(part, graph.tensors["w"].shape[0 if op[:5] in ("Conv1", "Conv3") else 1])
                     for part in ([output.scale[g] for g in output.granularity.groups],
                                  [output.zero_point[g] for g in output.granularity.groups]))  # fmt: skip
    expected = np.zeros(values.shape, np.int64)
    for row, j in np.ndindex(values.shape):
        if scaling == "float32":
            one = replace(output, scale=(float(scales[j]),), zero_point=(int(zeros[j]),), granularity=PER_TENSOR)
            expected[row, j] = one.encode(values[row, j])
        else:
            unit = layer.requantizer
            rule = definition(unit.scheme)
            constants = rule.constants(np.array([units[j] / float(np.float32(scales[j]))]), unit)
            cell = int(values[row, j]), int(constants.multiplier[0]), int(constants.shift[0])
            expected[row, j] = rule.requantize_one(*cell, unit, int(zeros[j]), -128, 127)
    np.testing.assert_array_equal(as_rows(graph, found), expected)
    assert layer.counters.overflow_events == events
    assert (layer.counters.overflow_outputs > 0) == (events > 0)
    assert layer.counters.outputs == found.size


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["Conv1", "Conv3", "Gemm", "MatMul"]))
def test_one_group_is_the_plain_path_bit_for_bit(seed, op):
    """A group of the whole of k on either operand, by name, is the same as one scale per tensor and output channel."""
    rng = np.random.default_rng(seed)
    graph = network(rng, op)
    x, w = graph.tensors["x"], graph.tensors["w"]
    along, across = (1, 0) if op.startswith("Conv") else (0, 1)
    channels, out = w.shape[along], w.shape[across]
    one = Granularity(axis=1, groups=(0,) * channels)
    each = Granularity.of_runs(along, channels, channels, by=across)
    grids = [grid(rng, "uint8", 1, PER_TENSOR), grid(rng, "int4", out, Granularity(axis=across))]
    plain = graph.with_changes(tensors=[replace(x, quant=grids[0]), Tensor.of_codes("w", w.codes, grids[1])])
    named = graph.with_changes(
        tensors=[
            replace(x, quant=replace(grids[0], granularity=one)),
            Tensor.of_codes("w", w.codes, replace(grids[1], granularity=each)),
        ]
    )
    codes = rng.integers(0, 256, x.shape)
    accelerator = machine()
    (a, first), (b, second) = (computed(each, accelerator, codes) for each in (plain, named))
    np.testing.assert_array_equal(a, b)
    assert first.segments is second.segments is None
    assert first.counters == second.counters


def grouped(graph, size, number=None):
    """Return the graph with its weights in groups of ``size`` input channels: symmetric, by the largest magnitude."""
    tensors = []
    for node in graph.nodes:
        if OPS[node.op].work is not Work.GEMM:
            continue
        x, w = (graph.tensors[name] for name in node.inputs[:2])
        along, across = (1, 0) if node.op == "Conv" else (0, 1)
        number = w.quant.format if number is None else number
        data = np.moveaxis(w.data, (across, along), (0, 1)).reshape(w.shape[across], w.shape[along], -1)
        starts = range(0, w.shape[along], size)
        peaks = np.stack([np.abs(data[:, at : at + size]).max(axis=(1, 2)) for at in starts], axis=1)
        quant = QuantParams(
            format=number, scale=tuple(np.float32(np.maximum(peaks, 1e-6) / number.maximum).ravel().tolist()),
            zero_point=(0,) * peaks.size, granularity=Granularity.of_runs(along, w.shape[along], size, by=across),
        )  # fmt: skip
        bias = graph.tensors[node.inputs[2]]
        tensors += [replace(w, quant=quant), replace(bias, quant=bias_params(x.quant, quant, bias))]
    return graph.with_changes(tensors=tensors)


DIGITS = {
    name: hwsim.quantize(hwsim.load(name), weights="int4", calibration=hwsim.dataset(name, "calibration"))
    for name in ("digits_resnet", "digits_mobilenet")
}


@pytest.mark.parametrize("name", DIGITS)
@pytest.mark.parametrize("size", [8, 16])
def test_whole_networks_with_groups_run(name, size):
    """Two scalers agree to a few output steps, and small groups bring the logits closer to those of the float network."""
    images = {"image": hwsim.dataset(name, "test")["image"][:64]}
    fine = grouped(DIGITS[name], size)
    results = [
        hwsim.simulate(
            graph, hwsim.accelerator("edge_16x16", overrides=[f"datapath.segment_scaling={scaling}"]), images
        )
        for graph, scaling in ((fine, "fixed_point:24:8"), (fine, "float32"), (DIGITS[name], "fixed_point:24:8"))
    ]
    fixed, floating, plain = (result.outputs["logits"] for result in results)
    step = fine.tensors["logits"].quant.scale[0]
    assert np.abs(fixed - floating).max() <= 3.5 * step
    assert not np.array_equal(fixed, plain)
    if size == 8:
        assert results[0].summary["sqnr_db"] > results[2].summary["sqnr_db"]


@pytest.mark.parametrize("name", ["mxint8", "mxfp4", "mxfp6e2m3", "mxfp6e3m2", "mxfp8e4m3"])
def test_mx_weights_run_exactly_on_shifts(name):
    """Weights in MX blocks by 8-bit activations of one scale: every real result is the exact sum."""
    rng = np.random.default_rng(3)
    k, n = 40, 5
    mx = MxFormat(name=name, block=8)
    real = rng.normal(size=(k, n)) * 2.0 ** rng.integers(-3, 3, (k // 8, n)).repeat(8, axis=0)
    real[8:16, 2] = 0  # a block of zeros has the scale of 2^-126
    packed = mx.encode(real, axis=0)
    weight = Tensor.of_codes("w", packed.elements, mx.params(packed))
    x_grid = QuantParams(format=IntFormat.parse("int8"), scale=(2.0**-4,), zero_point=(3,))
    tensors = {
        "x": Tensor(name="x", shape=(6, k), quant=x_grid), "w": weight, "y": Tensor(name="y", shape=(6, n)),
    }  # fmt: skip
    node = Node(name="fc", op="MatMul", inputs=("x", "w"), outputs=("y",), attributes={})
    graph = Graph(name="mx", nodes=(node,), tensors=tensors, inputs=("x",), outputs=("y",))
    accelerator = machine(
        "datapath.segment_scaling=shift:20", "datapath.psum=exact", "datapath.accumulator=int64:exact"
    )
    check_executable(graph, accelerator)
    codes = rng.integers(-128, 128, (6, k))
    found, layer = computed(graph, accelerator, codes)
    assert layer.segments is not None
    assert layer.counters.overflow_events == 0
    np.testing.assert_array_equal(found, ((codes - 3) * 2.0**-4 @ mx.decode(packed)).astype(np.float32))


def test_a_shift_is_refused_before_any_run_where_scales_are_no_powers_of_two():
    graph = network(np.random.default_rng(4), "Gemm")
    with pytest.raises(ExecutionError, match="layer 'fc': segment_scaling: shift:8:half_up needs scales whose ratios"):
        check_executable(graph, machine("datapath.segment_scaling=shift"))


def test_sparse_arrays_refuse_segments():
    graph = network(np.random.default_rng(4), "Gemm")
    sparse = replace(graph.tensors["w"], sparsity=Sparsity.parse("2:4"))
    with pytest.raises(ExecutionError, match="its scales change along k, which an array for sparse weights"):
        check_executable(graph.with_changes(tensors=[sparse]), machine("datapath.sparsity=2:4"))


def test_folds_that_cross_a_segment_are_refused():
    with pytest.raises(ExecutionError, match="the fold that ends at k = 4 crosses the end of a segment at 3"):
        segments_of_folds("fc", (2, 2), [3, 1])


def test_approximate_multipliers_and_trees_and_gating_compose():
    """An adder tree of exact registers changes nothing, a table of products does, and gated products are counted."""
    rng = np.random.default_rng(8)
    graph = network(rng, "Gemm", symmetric=True, w_format="int8")
    codes = rng.integers(0, 256, graph.tensors["x"].shape)
    base = ("datapath.psum=exact", "datapath.accumulator=int64:exact")
    plain, _ = computed(graph, machine(*base), codes)
    tree, _ = computed(graph, machine(*base, "array.adder_tree=2"), codes)
    rough, _ = computed(graph, machine(*base, "datapath.multiplier=truncated:6"), codes)
    _, gated = computed(graph, machine(*base, "datapath.zero_gating=both"), codes)
    np.testing.assert_array_equal(plain, tree)
    assert not np.array_equal(plain, rough)
    w = graph.tensors["w"].codes
    live = int((np.count_nonzero(codes, axis=0) * np.count_nonzero(w, axis=1)).sum())
    assert (gated.counters.active_products, gated.counters.products) == (live, codes.shape[0] * w.size)


@pytest.mark.parametrize("clamp", [(0.0, None), (None, 0.7), (-0.2, 0.3)])
def test_a_fused_clamp_follows_each_group_of_the_output(clamp):
    rng = np.random.default_rng(12)
    graph = network(rng, "Conv1")
    codes = rng.integers(0, 256, graph.tensors["x"].shape)
    free, _ = computed(graph, machine(), codes)
    node = graph.nodes[0].with_attributes(clamp=clamp)
    found, _ = computed(graph.with_changes(nodes=[node]), machine(), codes)
    output = graph.tensors["y"].quant
    ends = [np.inf * sign if end is None else end for end, sign in zip(clamp, (-1, 1), strict=True)]
    low, high = (output.encode(np.full(free.shape, end, np.float32)) for end in ends)
    np.testing.assert_array_equal(found, np.clip(free, low, high))


def real_result(graph, values, accelerator=None):
    """Return the real results of a graph of one product ``fc``, and its layer."""
    accelerator = accelerator or machine()
    layer = Layer.of(graph, graph.nodes[0], accelerator, schedule(graph, accelerator).mappings["fc"])
    images = {name: graph.tensors[name].quant.decode(codes) for name, codes in values.items()}
    return run_integer(graph, {"fc": layer}, images)["y"], layer


def test_groups_of_a_convolution_are_products_of_their_own():
    """Two groups of channels with weights in groups along k give what two convolutions give, side by side."""
    rng = np.random.default_rng(21)
    attributes = {"kernel": (3, 3), "strides": (1, 1), "pads": (1, 1, 1, 1), "dilations": (1, 1)}
    x_grid = grid(rng, "uint8", 1, PER_TENSOR)
    w_grid = grid(rng, "int4", 18, Granularity(axis=1, groups=(1, 0, 2, 1), by=0))
    codes, x = rng.integers(-8, 8, (6, 4, 3, 3)), rng.integers(0, 256, (2, 8, 4, 4))

    def graph(groups, part):
        scales = {"scale": w_grid.scale[part.start * 3 : part.stop * 3], "zero_point": w_grid.zero_point[part.start * 3 : part.stop * 3]}  # fmt: skip
        own = replace(w_grid, **scales)
        tensors = {
            "x": Tensor(name="x", shape=(2, 4 * groups, 4, 4), quant=x_grid), "w": Tensor.of_codes("w", codes[part], own),
            "y": Tensor(name="y", shape=(2, 3 * groups, 4, 4)),
        }  # fmt: skip
        node = Node(name="fc", op="Conv", inputs=("x", "w"), outputs=("y",), attributes=attributes | {"groups": groups})
        return Graph(name="one", nodes=(node,), tensors=tensors, inputs=("x",), outputs=("y",))

    both, layer = real_result(graph(2, slice(0, 6)), {"x": x})
    assert len(layer.segments.segments) == 3
    halves = [real_result(graph(1, slice(3 * g, 3 * g + 3)), {"x": x[:, 4 * g : 4 * g + 4]})[0] for g in (0, 1)]
    np.testing.assert_array_equal(both, np.concatenate(halves, axis=1))


@pytest.mark.parametrize("zero_point", ["folded", "subtracted"])
def test_a_batch_of_activations_is_a_product_each(zero_point):
    """Both operands computed by the network: groups of the left one along k, zero points on both."""
    rng = np.random.default_rng(22)
    x_grid = grid(rng, "uint8", 3, Granularity(axis=2, groups=(0, 2, 1, 1, 0)))
    w_grid = grid(rng, "int8", 1, PER_TENSOR)
    x, w = rng.integers(0, 256, (2, 3, 5)), rng.integers(-128, 128, (2, 5, 4))
    accelerator = machine(f"datapath.zero_point={zero_point}", "datapath.segment_scaling=fixed_point:24:8")

    def graph(lead):
        left = replace(x_grid, granularity=replace(x_grid.granularity, axis=len(lead) + 1))
        tensors = {
            "x": Tensor(name="x", shape=(*lead, 3, 5), quant=left), "w": Tensor(name="w", shape=(*lead, 5, 4), quant=w_grid),
            "y": Tensor(name="y", shape=(*lead, 3, 4)),
        }  # fmt: skip
        node = Node(name="fc", op="MatMul", inputs=("x", "w"), outputs=("y",), attributes={})
        return Graph(name="one", nodes=(node,), tensors=tensors, inputs=("x", "w"), outputs=("y",))

    both, _ = real_result(graph((2,)), {"x": x, "w": w}, accelerator)
    each = [real_result(graph(()), {"x": x[i], "w": w[i]}, accelerator)[0] for i in (0, 1)]
    np.testing.assert_array_equal(both, each)
    exact = x_grid.decode(x).astype(float) @ w_grid.decode(w).astype(float)
    np.testing.assert_allclose(both, exact, rtol=1e-4, atol=1e-3)
