"""Grids of weights in networks: every format and granularity executes the integers that it decodes to, and is priced."""

from dataclasses import replace

import numpy as np
import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.graph import Node, Tensor
from hwsim.hardware.precision import LayerPrecision, PrecisionPlan
from hwsim.numerics.formats import IntFormat, operand_format, parse_format
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.quantization.prepare import prepare
from hwsim.quantization.weights import weight_granularity, weight_params, widened_for_bias
from tests.integers import every_tensor, layers_of

FORMATS = [
    "int4",
    "int3n",
    "pot4",
    "power4:0.5",
    "power4:0.7@8",
    "power4",
    "codebook4",
    "ternary",
    "bipolar",
    "fp4e2m1",
]
GRANULARITIES = ["tensor", "channel", "group:8"]
NETWORK = hwsim.load("digits_mobilenet")
CALIBRATION = {"image": hwsim.dataset("digits_mobilenet", "calibration")["image"][:16]}
IMAGES = {"image": hwsim.dataset("digits_mobilenet", "test")["image"][:2]}
MACHINE = hwsim.accelerator("edge_16x16", overrides=["datapath.psum=exact", "datapath.accumulator=exact"])


def quantized(network=NETWORK, **stated):
    return hwsim.quantize(network, calibration=CALIBRATION, **{"range": "minmax", **stated})


def on_integers(graph):
    """The same network with its weights as the integers that they decode to, at the scale of one of them."""
    changed = []
    for node in graph.nodes:
        weight = graph.tensors[node.inputs[1]] if node.op in ("Conv", "Gemm") else None
        if weight is None or isinstance(weight.quant.format, IntFormat):
            continue
        grid = replace(
            weight.quant,
            format=operand_format(weight.quant.format),
            scale=tuple(float(scale) for scale in weight.quant.operand_scales()),
        )
        operands = weight.quant.format.operands(weight.encoded()).astype(grid.storage_dtype)
        changed.append(replace(weight, quant=grid, codes=operands))
    return graph.with_changes(tensors=changed)


@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize("weights", FORMATS)
def test_tables_execute_the_integers_that_they_decode_to(weights, granularity):
    """Bit for bit: packed weights, the general path, and a network that has integers from the start."""
    graph = quantized(weights=weights, weight_granularity=granularity)
    ours = every_tensor(graph, MACHINE, IMAGES)
    slow = every_tensor(graph, MACHINE, IMAGES, layers=layers_of(graph, MACHINE, lambda layer, product: None))
    plain = every_tensor(on_integers(graph), MACHINE, IMAGES)
    for name, codes in ours.items():
        np.testing.assert_array_equal(codes, slow[name], err_msg=name)
        np.testing.assert_array_equal(codes, plain[name], err_msg=name)
    assert len(np.unique(ours["logits"])) > 2
    summary = hwsim.simulate(graph, MACHINE).summary
    assert summary["energy_pj"] > 0
    assert summary["area_mm2"] > 0


@pytest.mark.parametrize("estimator", ["minmax", "mse"])
@pytest.mark.parametrize("granularity", GRANULARITIES)
def test_exponent_one_is_the_uniform_narrow_grid_bit_for_bit(granularity, estimator):
    keys = {"weight_granularity": granularity, "range": estimator}
    power, narrow = (quantized(weights=weights, **keys) for weights in ("power4:1", "int4n"))
    for name, tensor in power.tensors.items():
        other = narrow.tensors[name]
        assert tensor.quant.scale == other.quant.scale, name
        if tensor.is_constant:
            codes = (tensor.quant.format.operands(tensor.encoded()), other.quant.format.operands(other.encoded()))
            np.testing.assert_array_equal(*codes, err_msg=name)
    ours, theirs = (every_tensor(graph, MACHINE, IMAGES) for graph in (power, narrow))
    for name, codes in ours.items():
        np.testing.assert_array_equal(codes, theirs[name], err_msg=name)
    prices = [hwsim.simulate(graph, MACHINE).summary for graph in (power, narrow)]
    for key in ("cycles", "energy_pj", "dram_bytes", "area_mm2"):
        assert prices[0][key] == prices[1][key]


def test_a_group_of_all_of_k_is_the_output_channel():
    channel, grouped = (quantized(weights="int4", weight_granularity=text) for text in ("channel", "group:192"))
    for name, tensor in channel.tensors.items():
        assert tensor.quant == grouped.tensors[name].quant, name


def layer(op, shape, **attributes):
    weight = Tensor(name="w", shape=shape, data=np.random.default_rng(1).normal(size=shape).astype(np.float32))
    return Node(name="layer", op=op, inputs=("x", "w"), outputs=("y",), attributes=attributes), weight


@pytest.mark.parametrize(
    ("op", "shape", "attributes", "granularity", "found"),
    [
        ("Conv", (4, 6, 3, 3), {"groups": 1}, "group:4", Granularity.of_runs(1, 6, 4, by=0)),
        ("Conv", (4, 6, 3, 3), {"groups": 1}, "group:6", Granularity(axis=0)),
        ("Conv", (8, 1, 3, 3), {"groups": 8}, "group:1", Granularity(axis=0)),
        ("Gemm", (10, 3), {}, "group:4", Granularity.of_runs(0, 10, 4, by=1)),
        ("MatMul", (10, 3), {}, "group:10", Granularity(axis=1)),
        ("MatMul", (10, 3), {}, "channel", Granularity(axis=1)),
        ("MatMul", (2, 10, 3), {}, "channel", PER_TENSOR),
        ("ConvTranspose", (6, 4, 2, 2), {"groups": 1}, "channel", Granularity(axis=1)),
        ("Conv", (4, 6, 3, 3), {"groups": 1}, "tensor", PER_TENSOR),
    ],
)
def test_which_weights_share_a_scale(op, shape, attributes, granularity, found):
    node, weight = layer(op, shape, **attributes)
    precision = LayerPrecision(weight_granularity=granularity)
    assert weight_granularity(node, weight, precision) == found
    grid = weight_params(node, weight, precision, power_of_two=False)
    assert grid.granularity == found
    assert np.abs(grid.decode(grid.encode(weight.data)) - weight.data).max() <= max(grid.scale) / 2 + 1e-6


@pytest.mark.parametrize(("op", "shape"), [("ConvTranspose", (6, 4, 2, 2)), ("MatMul", (2, 10, 3))])
def test_products_without_groups_say_so(op, shape):
    node, weight = layer(op, shape, groups=1)
    with pytest.raises(
        HwsimError, match=r"layer 'layer', weight 'w': .* have no groups of k; state weight_granularity"
    ):
        weight_params(node, weight, LayerPrecision(weight_granularity="group:2"), power_of_two=False)


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"weights": "pot4", "weight_symmetry": "asymmetric"}, "pot4 has no zero point; state weight_symmetry"),
        ({"weights": "codebook4", "weight_symmetry": "asymmetric"}, "codebook4@8 has no zero point"),
        ({"weights": "power4", "range": "percentile"}, "weights on power4@8 take range = \"minmax\" or \"mse\""),
        ({"weights": "bipolar", "sparsity": "2:4"}, "bipolar does not hold the 0 of pruned weights"),
    ],
)  # fmt: skip
def test_what_tables_cannot_be(stated, message):
    network = hwsim.load("digits_resnet")
    if "sparsity" in stated:
        plan = {"match": "stem.conv", "sparsity": "dense"}
        stated = {**stated, "plan": PrecisionPlan(layer=(plan,))}
    with pytest.raises(HwsimError, match=message):
        hwsim.quantize(network, **stated)


@pytest.mark.parametrize("weights", ["ternary", "pot4", "power4:0.5", "codebook2"])
def test_pruned_weights_stay_zero_on_tables(weights):
    dense = PrecisionPlan(
        layer=tuple({"match": match, "sparsity": "dense"} for match in ("stem.conv", "*.depthwise.conv"))
    )
    graph = quantized(weights=weights, sparsity="2:4", plan=dense)
    pruned = [tensor for tensor in graph.tensors.values() if tensor.sparsity is not None]
    assert pruned
    for tensor in pruned:
        operands = tensor.quant.format.operands(tensor.encoded())
        assert tensor.sparsity.excess(operands, 0 if operands.ndim == 2 else 1) == 0


def test_asymmetric_groups():
    graph = quantized(weights="uint4", weight_symmetry="asymmetric", weight_granularity="group:8")
    weight = graph.tensors[graph.node_of["block2.project.conv"].inputs[1]]
    assert weight.quant.granularity == Granularity.of_runs(1, 96, 8, by=0)
    assert len(set(weight.quant.zero_point)) > 1
    assert len(np.unique(every_tensor(graph, MACHINE, IMAGES)["logits"])) > 2


@pytest.mark.parametrize("text", ["int4", "power4:0.5", "pot4"])
def test_scales_are_widened_until_the_bias_fits(text):
    """The bias counts in steps of operand scales; all groups of a column are widened alike."""
    ifmap = QuantParams(format=IntFormat(bits=8, signed=False), scale=(2.0**-6,))
    node, weight = layer("Gemm", (8, 3))
    precision = LayerPrecision(weights=parse_format(text), weight_granularity="group:4")
    grid = weight_params(node, weight, precision, power_of_two=False)
    bias = Tensor(name="b", shape=(3,), data=np.array([0.0, 1e7, 5.0], np.float32))
    wide = widened_for_bias(ifmap, grid, bias)
    ratio = (wide.scales() / grid.scales()).reshape(3, 2)
    assert (ratio[:, 0] == ratio[:, 1]).all()
    assert (ratio[[0, 2]] == 1).all()
    steps = 2.0**-6 * wide.operand_scales().reshape(3, 2)[1].max()
    assert 1e7 / steps <= 2**30 < 1e7 / (steps / 2)


def test_fp16_weights_are_kept():
    graph = hwsim.quantize(NETWORK, weights="fp16")
    weight = graph.tensors[graph.node_of["stem.conv"].inputs[1]]
    assert set(weight.quant.scale) == {1.0}
    np.testing.assert_allclose(weight.quant.decode(weight.encoded()), weight.data, rtol=2**-11)


def test_power_of_two_scales_on_every_table():
    for weights in ("pot4", "power4", "codebook3", "ternary"):
        graph = quantized(weights=weights, range="mse", power_of_two=True, weight_granularity="tensor")
        for tensor in graph.tensors.values():
            assert (np.log2(tensor.quant.scales()) % 1 == 0).all(), (weights, tensor.name)


@pytest.mark.parametrize("symmetry", ["symmetric", "asymmetric"])
@pytest.mark.parametrize(
    ("granularity", "dead", "column"),
    [("group:4", np.s_[:4, 1], 1), ("group:4", np.s_[:, 2], 2), ("channel", np.s_[:, 0], 0)],
)
def test_zeros_do_not_coarsen_the_unit_of_their_column(granularity, dead, column, symmetry):
    node, weight = layer("Gemm", (12, 3))
    weight.data[:] *= 0.01
    weight.data[dead] = 0
    precision = LayerPrecision(weights=parse_format("int4"), weight_granularity=granularity, weight_symmetry=symmetry)
    grid = weight_params(node, weight, precision, power_of_two=False)
    units = grid.scales().reshape(3, -1).max(axis=1)
    assert units.max() < np.abs(weight.data).max()
    assert (grid.decode(grid.encode(weight.data))[dead] == 0).all()
    others = np.delete(units, column)
    assert units[column] <= others.max() or (weight.data[:, column] != 0).any()


@pytest.mark.parametrize("weights", ["bipolar", "codebook2", "int4"])
def test_dead_channels_execute_as_nothing(weights):
    """What they give is their bias, everywhere the same."""
    ready = prepare(NETWORK)
    name = ready.node_of["stem.conv"].inputs[1]
    data = ready.tensors[name].data.copy()
    data[3] = 0
    network = ready.with_changes(tensors=[replace(ready.tensors[name], data=data)])
    graph = quantized(network, weights=weights, weight_granularity="channel")
    grid = graph.tensors[name].quant
    decoded = grid.decode(graph.tensors[name].encoded())
    assert np.abs(decoded[3]).max() < 1e-4 * np.abs(decoded).max()  # its bias still fits 32 bits
    found = every_tensor(graph, MACHINE, IMAGES)[graph.node_of["stem.conv"].outputs[0]]
    assert len(np.unique(found[:, 3])) == 1
    assert len(np.unique(found)) > 2
