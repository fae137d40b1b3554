"""Smoothing leaves the function, follows its equation and is explicit only where somebody needs the values as they were."""

import numpy as np
import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.execute.float32 import run_float
from hwsim.hardware.precision import PrecisionPlan
from hwsim.numerics.metrics import sqnr_db
from hwsim.quantization.quantize import quantize
from hwsim.quantization.scheme import Scheme
from hwsim.quantization.state import State
from hwsim.quantization.transforms.absorb import absorb
from hwsim.quantization.transforms.edge_transform import EdgeTransform
from hwsim.quantization.transforms.smooth import Smooth, difficulty_gap
from tests.integers import every_tensor
from tests.quantization.transforms.graphs import Builder, assert_same_function

IMAGES = {"x": np.random.default_rng(0).normal(size=(48, 5, 8)).astype(np.float32)}
MACHINE = hwsim.accelerator("edge_16x16")


def transformer(post_norm):
    b = Builder(7, shape=(1, 5, 8))
    x = b.linear("x", 8)
    z = b.norm(x)
    y = b.linear(b.same("Relu", b.linear(z, 16)), 8)
    return b.graph(b.linear(b.norm(b.same("Add", y, z if post_norm else x)), 3)), z


def state_of(graph, plan=None):
    scheme = Scheme(plan=plan or PrecisionPlan(), boundary_bits=8)
    return State(reference=graph, graph=graph, calibration=IMAGES, scheme=scheme, machine=MACHINE)


def test_a_pre_norm_by_the_equation():
    graph, z = transformer(post_norm=False)
    done = Smooth(alpha=0.5, layers=graph.consumers_of[z][0].name)(state_of(graph))
    assert done.notes == ("smoothed 1 edges",)
    weight = graph.consumers_of[z][0].inputs[1]
    peaks = np.abs(run_float(graph, IMAGES, keep=[z])[z]).max(axis=(0, 1))
    scale = np.sqrt(peaks / np.abs(graph.tensors[weight].data).max(axis=1))
    ratio = done.graph.tensors[weight].data / graph.tensors[weight].data
    np.testing.assert_allclose(ratio, np.broadcast_to(scale[:, None], ratio.shape), rtol=1e-5)
    assert_same_function_of(graph, done.graph)


def assert_same_function_of(before, after):
    first, second = (next(iter(run_float(each, IMAGES).values())) for each in (before, after))
    np.testing.assert_allclose(second, first, atol=1e-5 * np.abs(first).max())


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0, "search"])
@pytest.mark.parametrize("post_norm", [False, True])
def test_the_function_stays_and_a_post_norm_pays(alpha, post_norm):
    graph, _ = transformer(post_norm)
    done = Smooth(alpha=alpha)(state_of(graph))
    assert_same_function_of(graph, done.graph)
    explicit = [node.op for node in done.graph.nodes].count("Mul")
    assert explicit == (1 if post_norm and alpha != "search" else explicit)
    assert explicit <= post_norm
    plain = Smooth(alpha=alpha, explicit=False)(state_of(graph))
    assert len(plain.graph.nodes) == len(graph.nodes)


def test_an_outlier_channel_costs_less_and_the_search_never_loses():
    graph, z = transformer(post_norm=False)
    outlier = EdgeTransform.of(8, scale=[1 / 40, *[1.0] * 7])  # a large channel, which its weights make small again
    graph = absorb(graph, z, outlier)
    plan = PrecisionPlan()
    errors = {}
    for name, state in (("none", state_of(graph, plan)), ("search", Smooth(alpha="search")(state_of(graph, plan)))):
        quantized = quantize(state.graph, state.scheme, IMAGES)
        output = graph.outputs[0]
        codes = every_tensor(quantized, MACHINE, IMAGES)[output]
        errors[name] = sqnr_db(run_float(graph, IMAGES)[output], quantized.tensors[output].quant.decode(codes))
    assert errors["search"] > errors["none"] + 3
    losses = Smooth(alpha="search")(state_of(graph, plan)).losses
    assert losses["smooth.error"] < losses["smooth.unsmoothed"]


def test_images_and_alpha_are_checked():
    graph, _ = transformer(post_norm=False)
    with pytest.raises(HwsimError, match="smoothing: alpha must be 0 to 1 or 'search', not 2"):
        Smooth(alpha=2)
    bare = State(reference=graph, graph=graph, calibration=None, scheme=Scheme(), machine=MACHINE)
    with pytest.raises(HwsimError, match="smoothing: needs calibration images"):
        Smooth()(bare)


def test_convolutions_smooth_through_relu_and_pooling():
    b = Builder(3)
    graph = b.graph(b.head(b.conv(b.pool(b.conv("x", clamp=(0.0, None))), clamp=(0.0, None))))
    images = {"x": np.random.default_rng(0).normal(size=(4, 3, 6, 6)).astype(np.float32)}
    state = State(reference=graph, graph=graph, calibration=images, scheme=Scheme(), machine=MACHINE)
    done = Smooth()(state)
    assert done.notes == ("smoothed 2 edges",)
    assert_same_function(graph, done.graph)


def test_alpha_one_half_closes_the_gap_of_a_single_edge():
    b = Builder(7, shape=(1, 5, 8))
    graph = b.graph(b.linear(b.norm("x"), 3))
    assert difficulty_gap(graph, IMAGES) > 0.1
    gaps = [difficulty_gap(Smooth(alpha=alpha)(state_of(graph)).graph, IMAGES) for alpha in (0.5, 0.8)]
    assert gaps[0] < 1e-10 < 0.01 < gaps[1]
    bare = Builder(7, shape=(1, 5, 8))
    assert difficulty_gap(bare.graph(bare.linear("x", 3)), IMAGES) == 0.0
