"""Norm tweaking: the factors minimize the error of what quantized products make of a normalization."""

from dataclasses import replace

import numpy as np
import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.execute.float32 import run_float
from hwsim.graph import Graph, Node, Tensor
from hwsim.hardware import PrecisionPlan
from hwsim.quantization.correct import CorrectBias, TweakNorms, mean_errors
from hwsim.quantization.correct.tweak import solved, untweaked
from hwsim.quantization.quantize import Scheme, quantize, with_decoded_weights
from hwsim.quantization.state import State

RNG = np.random.default_rng(4)
CHANNELS = 12


def tensor(name, *shape, spread=1.0):
    return Tensor(name=name, shape=shape, data=(spread * RNG.normal(size=shape)).astype(np.float32))


def network(*, residual):
    """A normalization read by two products and, maybe, by a sum beside them."""
    shape = (1, CHANNELS)
    gamma = Tensor(name="gamma", shape=(CHANNELS,), data=np.exp(RNG.normal(size=CHANNELS)).astype(np.float32))
    constants = [
        gamma,
        tensor("beta", CHANNELS),
        tensor("w1", CHANNELS, 5),
        tensor("b1", 5),
        tensor("w2", CHANNELS, CHANNELS),
    ]
    nodes = [
        Node(name="norm", op="LayerNormalization", inputs=("x", "gamma", "beta"), outputs=("n",), attributes={"axis": 1, "epsilon": 1e-5}),
        Node(name="first", op="Gemm", inputs=("n", "w1", "b1"), outputs=("y1",)),
        Node(name="second", op="Gemm", inputs=("n", "w2"), outputs=("h",)),
        Node(name="sum", op="Add", inputs=("h", "n" if residual else "x"), outputs=("y2",)),
    ]  # fmt: skip
    tensors = {each.name: each for each in constants}
    tensors |= {name: Tensor(name=name, shape=shape) for name in ("x", "n", "h", "y2")}
    tensors["y1"] = Tensor(name="y1", shape=(1, 5))
    return Graph(name="g", nodes=tuple(nodes), tensors=tensors, inputs=("x",), outputs=("y1", "y2"))


def state(graph, weights="int2"):
    mixed = RNG.normal(size=(CHANNELS, CHANNELS))
    images = {"x": (RNG.normal(size=(300, CHANNELS)) @ mixed).astype(np.float32)}
    scheme = Scheme(plan=PrecisionPlan(default={"weights": weights, "weight_granularity": "tensor"}))
    quantized = quantize(graph, scheme, images)
    machine = hwsim.accelerator("edge_16x16")
    return State(reference=graph, graph=quantized, calibration=images, scheme=scheme, machine=machine)


def error(of, names):
    """Squared error of products on the float network's normalization as tweaked, real activations."""
    images = of.calibration
    wanted = run_float(of.reference, images, keep=names)
    found = run_float(with_decoded_weights(of.graph), images, keep=names)
    return sum(np.square(found[name] - wanted[name]).sum(axis=1).mean() for name in names)


@pytest.mark.parametrize("residual", [False, True])
def test_the_error_of_the_readers_shrinks_and_is_the_one_reported(residual):
    start = state(network(residual=residual))
    after = TweakNorms()(start)
    names = ("y1", "h") + (("n",) if residual else ())
    assert after.losses["norm_tweak.after"] < after.losses["norm_tweak.before"]
    # the bias of "first" is on its grid: what it adds to the error is far below that of 2-bit weights
    assert after.losses["norm_tweak.before"] == pytest.approx(error(start, names), rel=1e-2)
    assert after.losses["norm_tweak.after"] == pytest.approx(error(after, names), rel=1e-2)


def test_factors_are_a_minimum():
    start = state(network(residual=False))
    after = TweakNorms(damping=1e-9)(start)
    best = after.losses["norm_tweak.after"]
    for _ in range(20):
        gamma = after.graph.tensors["gamma"]
        moved = after.graph
        factor = 1 + 0.02 * RNG.normal(size=CHANNELS)
        beta = moved.tensors["beta"]
        tensors = [replace(each, data=(each.data * factor).astype(np.float32)) for each in (gamma, beta)]
        assert error(after.with_(graph=moved.with_changes(tensors=tensors)), ("y1", "h")) > best * 0.995


def test_factors_solve_the_damped_system():
    left = np.diag([2.0, 4.0])
    np.testing.assert_allclose(solved(left, np.array([4.0, 4.0]), damping=0.1), [(4 + 0.3) / 2.3, 1.0])


def test_exact_weights_need_no_factor():
    start = state(network(residual=False), weights="int16")
    after = TweakNorms()(start)
    np.testing.assert_allclose(after.graph.tensors["gamma"].data, start.graph.tensors["gamma"].data, rtol=1e-3)


def test_later_corrections_still_see_the_float_network():
    start = state(network(residual=False))
    tweaked = TweakNorms()(start)
    assert (tweaked.graph.tensors["gamma"].data != start.graph.tensors["gamma"].data).any()
    for name in ("gamma", "beta"):
        assert (untweaked(tweaked.graph).tensors[name].data == start.graph.tensors[name].data).all()
    twice = TweakNorms()(tweaked)
    for name in ("gamma", "beta"):
        assert (twice.graph.tensors[name].data == tweaked.graph.tensors[name].data).all()
    corrected = CorrectBias()(tweaked)
    for name, errors in mean_errors(corrected).items():
        step = corrected.graph.tensors[corrected.graph.node_of[name].inputs[2]].quant.scales()
        assert np.abs(errors).max() <= 0.5 * step.max() + 1e-4, name


def test_a_network_without_such_norms_is_left_alone():
    graph = network(residual=True)
    bare = graph.with_changes(nodes=[node for node in graph.nodes if node.name == "norm"], outputs=("n",))
    after = TweakNorms()(state(bare))
    assert after.notes == ("norm tweaking: no quantized product reads a layer normalization; nothing was changed",)


def test_images_are_needed():
    with pytest.raises(HwsimError, match="norm tweaking: needs calibration images"):
        TweakNorms()(state(network(residual=False)).with_(calibration=None))
