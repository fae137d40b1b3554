"""Absorbing a transform leaves the function; what cannot be absorbed is an operation that is priced and executed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hwsim
from hwsim.errors import GraphError
from hwsim.execute.float32 import run_float
from hwsim.quantization.prepare import prepare
from hwsim.quantization.quantize import quantize
from hwsim.quantization.scheme import Scheme
from hwsim.quantization.transforms.absorb import absorb
from hwsim.quantization.transforms.edge_transform import EdgeTransform
from hwsim.quantization.transforms.rules import Kind, Reach
from tests.integers import every_tensor
from tests.quantization.transforms.graphs import CHANNELS, Builder, assert_same_function, drawn_network

RNG = np.random.default_rng(2)


def drawn_transform(channels, kinds, seed=0):
    rng = np.random.default_rng(seed)
    return EdgeTransform.of(
        channels,
        scale=2.0 ** rng.uniform(-2, 2, channels) if Kind.SCALE in kinds else 1.0,
        shift=rng.normal(size=channels) if Kind.SHIFT in kinds else 0.0,
        permutation=rng.permutation(channels) if Kind.PERMUTE in kinds else None,
    )


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    length=st.integers(1, 6),
    pick=st.integers(0, 100),
    kinds=st.sets(st.sampled_from(Kind), min_size=1),
    ties=st.booleans(),
)
def test_any_transform_of_any_edge_leaves_the_function(seed, length, pick, kinds, ties):
    graph = drawn_network(seed, length)
    edges = [name for name, tensor in graph.tensors.items() if not tensor.is_constant]
    edge = edges[pick % len(edges)]
    change = drawn_transform(graph.tensors[edge].shape[1], kinds, seed)
    try:
        changed = absorb(graph, edge, change, reach=Reach(ties=ties))
    except GraphError as error:
        if "nothing can absorb" not in str(error):  # else only operations would be left
            raise
        return
    assert_same_function(graph, changed)


def test_the_edge_carries_the_transform():
    b = Builder()
    graph = b.graph(b.head(b.conv(b.conv("x", clamp=(0.0, None)), pad=0)))
    change = drawn_transform(CHANNELS, {Kind.SCALE, Kind.PERMUTE})
    changed = absorb(graph, "conv0", change)
    assert [node.op for node in changed.nodes] == [node.op for node in graph.nodes]
    x = RNG.normal(size=(2, 3, 6, 6)).astype(np.float32)
    before, after = (run_float(each, {"x": x}, keep=["conv0"])["conv0"] for each in (graph, changed))
    np.testing.assert_allclose(after, change.apply(before, axis=1), rtol=1e-5, atol=1e-6)


def test_transforms_compose():
    b = Builder()
    graph = b.graph(b.head(b.conv(b.conv("x"), pad=0)))
    first, second = (drawn_transform(CHANNELS, set(Kind), seed) for seed in (1, 2))
    twice = absorb(absorb(graph, "conv0", first), "conv0", second)
    once = absorb(graph, "conv0", first.then(second))
    for name, tensor in once.tensors.items():
        if tensor.is_constant:
            np.testing.assert_allclose(twice.tensors[name].data, tensor.data, rtol=1e-4, atol=1e-5)


def test_a_transform_and_its_inverse_are_nothing():
    graph = drawn_network(3, 5)
    change = drawn_transform(CHANNELS, {Kind.SCALE})
    back = absorb(absorb(graph, "conv0", change), "conv0", change.inverse())
    assert [node.op for node in back.nodes].count("Mul") % 2 == [node.op for node in graph.nodes].count("Mul") % 2
    assert_same_function(graph, back)


@pytest.mark.parametrize("kinds", [{Kind.SCALE}, {Kind.PERMUTE}, {Kind.SCALE, Kind.PERMUTE}])
def test_through_depthwise_pool_flatten_and_relu_nothing_is_left(kinds):
    b = Builder(4)
    x = b.depthwise(b.same("Relu", b.conv("x")), clamp=(0.0, None))
    graph = b.graph(b.gemm(b.flat(b.pool(b.pool(x), "AveragePool"))))
    changed = absorb(graph, "conv0", drawn_transform(CHANNELS, kinds), explicit=False)
    assert len(changed.nodes) == len(graph.nodes)
    changed = absorb(changed, "conv2", drawn_transform(CHANNELS, kinds, 1), explicit=False)
    assert_same_function(graph, changed)


def test_a_flattened_image_scales_in_runs_of_its_channel():
    b = Builder(5)
    graph = b.graph(b.gemm(b.flat(b.conv("x", clamp=(0.0, None)))))
    changed = absorb(graph, "conv0", EdgeTransform.of(CHANNELS, scale=[1.0, 2.0, 4.0, 8.0]), explicit=False)
    ratio = changed.tensors["w2"].data / graph.tensors["w2"].data
    np.testing.assert_allclose(ratio[:, 0], np.repeat([1.0, 2.0, 4.0, 8.0], 36))
    assert_same_function(graph, changed)


@pytest.mark.parametrize("op", ["ConvTranspose", "Conv"])
@pytest.mark.parametrize("groups", [1, 2])
def test_grouped_and_transposed_convolutions(op, groups):
    b = Builder(6)
    x = b.conv("x", out=4)
    inside = (4, 6 // groups) if op == "ConvTranspose" else (6, 4 // groups)
    weight = b.constant("w", RNG.normal(size=(*inside, 3, 3)))
    window = {"kernel": (3, 3), "strides": (1, 1), "pads": (1, 1, 1, 1), "dilations": (1, 1), "groups": groups}
    more = {"output_padding": (0, 0)} if op == "ConvTranspose" else {}
    y = b.add(op, (x, weight, b.constant("b", RNG.normal(size=6))), (1, 6, 6, 6), **window, **more, clamp=(0.0, None))
    graph = b.graph(b.head(y))
    changed = absorb(graph, x, drawn_transform(4, {Kind.SCALE}), explicit=False)
    kinds = set(Kind) - {Kind.SHIFT} if groups == 1 else {Kind.SCALE}
    changed = absorb(changed, y, drawn_transform(6, kinds), explicit=False)
    assert_same_function(graph, changed)


def transformer(post_norm):
    """One feed-forward block whose normalization is read by the residual sum too (post-norm), or only by the layer (pre-norm)."""
    b = Builder(7, shape=(1, 5, 8))
    x = b.linear("x", 8)
    z = b.norm(x)
    y = b.linear(b.same("Relu", b.linear(z, 16)), 8)
    return b.graph(b.linear(b.norm(b.same("Add", y, z if post_norm else x)), 3)), z


def test_a_pre_norm_takes_scale_and_shift_for_nothing():
    graph, z = transformer(post_norm=False)
    changed = absorb(graph, z, drawn_transform(8, {Kind.SCALE, Kind.SHIFT}), explicit=False)
    assert len(changed.nodes) == len(graph.nodes)
    assert_same_function(graph, changed)


def test_a_post_norm_gives_the_residual_sum_its_values_back():
    graph, z = transformer(post_norm=True)
    change = drawn_transform(8, {Kind.SCALE})
    changed = absorb(graph, z, change)
    assert [node.op for node in changed.nodes].count("Mul") == 1
    assert changed.producer_of[z].op == "Mul"
    assert changed.producer_of[f"{z}.scaled"].op == "LayerNormalization"
    assert_same_function(graph, changed)
    with pytest.raises(GraphError, match=rf"a scale of '{z}' would leave an operation: .* all its branches"):
        absorb(graph, z, change, explicit=False)


def test_residual_branches_tied_take_one_scale_for_nothing():
    b = Builder(8)
    x = b.conv("x", clamp=(0.0, None))
    y = b.same("Add", b.conv(b.conv(x, clamp=(0.0, None))), x, clamp=(0.0, None))
    graph = b.graph(b.head(b.conv(y)))
    change = drawn_transform(CHANNELS, {Kind.SCALE, Kind.PERMUTE})
    changed = absorb(graph, y, change, reach=Reach(ties=True), explicit=False)
    assert len(changed.nodes) == len(graph.nodes)
    assert_same_function(graph, changed)


@pytest.mark.parametrize("clamp", [(0.0, 6.0), (-1.0, None), (-1.0, 1.0)])
def test_a_clamp_is_one_for_all_channels(clamp):
    b = Builder(9)
    graph = b.graph(b.head(b.conv(b.conv("x", clamp=clamp))))
    changed = absorb(graph, "conv0", drawn_transform(CHANNELS, {Kind.SCALE}))
    assert [node.op for node in changed.nodes][:3] == ["Conv", "Mul", "Conv"]
    assert_same_function(graph, changed)


def test_a_result_of_the_network_keeps_its_name_and_values():
    b = Builder(10)
    y = b.conv(b.conv("x"))
    graph = b.graph(y, "conv0")
    changed = absorb(graph, "conv0", drawn_transform(CHANNELS, {Kind.SCALE, Kind.PERMUTE}))
    assert changed.outputs == graph.outputs
    assert {node.op for node in changed.nodes} == {"Conv", "Mul", "Gather"}
    assert_same_function(graph, changed)


def test_what_is_known_of_the_distribution_changes_with_the_channel():
    b = Builder(11)
    normal = ((1.0, 2.0, 3.0, 4.0), (0.1, 0.2, 0.3, 0.4))
    graph = b.graph(b.head(b.conv(b.conv("x", normal=normal), pad=0, normal=normal)))
    change = EdgeTransform.of(4, scale=[1.0, 2.0, 4.0, 8.0], shift=[0.5, 0.0, 0.0, 0.0], permutation=[3, 2, 1, 0])
    changed = absorb(graph, "conv0", change)
    mean, deviation = changed.nodes[0].attributes["normal"]
    np.testing.assert_allclose(mean, [3.5, 1.5, 0.5, 0.125])
    np.testing.assert_allclose(deviation, [0.4, 0.15, 0.05, 0.0125])
    assert changed.nodes[1].attributes["normal"] == normal


@pytest.mark.parametrize(
    ("edge", "channels", "message"),
    [
        ("conv0", 3, "tensor 'conv0' has 4 channels, not the 3 of the transform"),
        ("w0", 3, "'w0' is no activation"),
        ("nothing", 3, "'nothing' is no activation"),
    ],
)
def test_wrong_edges(edge, channels, message):
    b = Builder()
    graph = b.graph(b.head(b.conv("x")))
    with pytest.raises(GraphError, match=message):
        absorb(graph, edge, EdgeTransform.of(channels, scale=2.0))


def test_a_graph_with_grids_is_refused():
    b = Builder()
    graph = quantize(b.graph(b.head(b.conv("x"))), Scheme(), None)
    with pytest.raises(GraphError, match="has grids already; transform the float network"):
        absorb(graph, "conv0", EdgeTransform.of(CHANNELS, scale=2.0))


def test_what_stays_explicit_is_priced():
    graph, z = transformer(post_norm=True)
    machine = hwsim.accelerator("edge_16x16")
    changed = absorb(graph, z, drawn_transform(8, {Kind.SCALE}))
    before, after = (hwsim.simulate(quantize(each, Scheme(), None), machine) for each in (graph, changed))
    name = changed.producer_of[z].name
    row = next(row for row in after.layers.rows() if row["layer"] == name)
    assert row["op"] == "Mul"
    assert row["cycles"] > 0
    assert row["energy_pj"] > 0
    operations = after.compute.where(layer=name, action="multiply")
    assert sum(operations["count"]) >= 5 * 8
    assert after.summary["cycles"] > before.summary["cycles"]


@pytest.mark.parametrize("kinds", [{Kind.SCALE}, {Kind.SHIFT}, {Kind.PERMUTE}])
def test_what_stays_explicit_is_executed_as_its_definition(kinds):
    """The codes of the explicit operation, recomputed with Python integers from the codes of its operands."""
    from hwsim.numerics.requantizers import definition

    b = Builder(12)
    y = b.conv("x")
    graph = prepare(b.graph(b.same("Add", b.conv(y, pad=0, kernel=1), y)))
    changed = absorb(graph, y, drawn_transform(CHANNELS, kinds))
    machine = hwsim.accelerator("edge_16x16")
    x = RNG.normal(size=(2, 3, 6, 6)).astype(np.float32)
    quantized = quantize(changed, Scheme(), {"x": x})
    values = every_tensor(quantized, machine, {"x": x})
    node = quantized.producer_of[y]
    operand, constant = (quantized.tensors[name] for name in node.inputs)
    codes = values[node.inputs[0]].astype(int)
    if kinds == {Kind.PERMUTE}:
        np.testing.assert_array_equal(values[y], codes[:, constant.data])
        return
    grids = [tensor.quant for tensor in (operand, constant, quantized.tensors[y])]
    unit = machine.datapath_for(node.name).requantizer.unit
    scheme = definition(unit.scheme)
    factors = np.broadcast_to(constant.encoded().astype(int) - grids[1].zero_point[0], codes.shape).ravel()
    centred = codes.ravel() - grids[0].zero_point[0]
    scales = np.array([grid.scales().astype(np.float64)[0] for grid in grids])
    end = (grids[2].zero_point[0], 0, 255)
    if kinds == {Kind.SCALE}:
        made = scheme.constants(scales[:1] * scales[1] / scales[2], unit)
        one = [
            scheme.requantize_one(a * w, int(made.multiplier[0]), int(made.shift[0]), unit, *end)
            for a, w in zip(centred, factors, strict=True)
        ]
    else:
        made = scheme.sum_constants(scales[:2] / scales[2], unit)
        one = [scheme.rescale_sum_one([a, w], made, unit, *end) for a, w in zip(centred, factors, strict=True)]
    np.testing.assert_array_equal(values[y].ravel(), one)
