"""Scales found at run time: per token, per image, exact and priced."""

import numpy as np
import pytest

import hwsim
from hwsim.execute.float32 import run_float
from hwsim.graph import Graph, Node, Tensor
from hwsim.mapping.demands import demands_of
from hwsim.quantization.correct.biases import held, with_bias
from hwsim.quantization.run_time import found_at_run_time
from tests.integers import every_tensor
from tests.quantization.reconstruct.small import state_of


@pytest.fixture(scope="module")
def machine():
    return hwsim.accelerator("edge_16x16", overrides=["datapath.accumulator=exact"])


def tokens(seed=0, k=12, n=5):
    """Return a network of two matrix products on rows, the second behind a ReLU."""
    random = np.random.default_rng(seed)
    constants = {"w1": random.normal(size=(k, k)), "b1": random.normal(size=k), "w2": random.normal(size=(k, n))}
    tensors = [Tensor(name=name, shape=data.shape, data=data.astype(np.float32)) for name, data in constants.items()]
    tensors += [Tensor(name="x", shape=(3, 4, k)), *(Tensor(name=name, shape=(3, 4, k)) for name in ("h", "s", "r"))]
    tensors.append(Tensor(name="y", shape=(3, 4, n)))
    nodes = (
        Node(name="first", op="MatMul", inputs=("x", "w1"), outputs=("h",)),
        Node(name="sum", op="Add", inputs=("h", "b1"), outputs=("s",), attributes={"clamp": (0.0, None)}),
        Node(name="minus", op="Neg", inputs=("s",), outputs=("r",)),
        Node(name="second", op="MatMul", inputs=("r", "w2"), outputs=("y",)),
    )
    return Graph(name="rows", nodes=nodes, tensors={t.name: t for t in tensors}, inputs=("x",), outputs=("y",))


def test_each_token_has_its_own_scale(machine):
    images = {"x": np.random.default_rng(1).normal(size=(3, 4, 12)).astype(np.float32) * [[[1.0], [10], [0.1], [0]]]}
    images = {"x": images["x"].astype(np.float32)}
    graph = found_at_run_time(hwsim.quantize(tokens(), weights="int6", activations="int5", calibration=images))
    found = every_tensor(graph, machine, images)
    x, codes, scale = (found[name] for name in ("r", "second.codes", "second.scale"))
    expected = np.abs(x).max(axis=2, keepdims=True) / np.float32(15)
    expected = np.where(expected > 0, expected, np.float32(1))
    np.testing.assert_array_equal(scale, expected)
    np.testing.assert_array_equal(codes, np.clip(np.rint(x / expected), -16, 15))
    weight = graph.tensors["w2"]
    sums = codes.astype(np.int64) @ weight.encoded().astype(np.int64)
    np.testing.assert_array_equal(found["y"], sums.astype(np.float32) * weight.quant.scales() * scale)


def test_an_image_does_not_see_its_neighbours(machine):
    network = "digits_mobilenet"
    graph = found_at_run_time(
        hwsim.quantize(
            hwsim.load(network), weights="int4", activations="uint4", calibration=hwsim.dataset(network, "calibration")
        )
    )
    images = hwsim.dataset(network, "test")["image"][:5]
    together = every_tensor(graph, machine, {"image": images})["logits"]
    alone = [every_tensor(graph, machine, {"image": images[i : i + 1]})["logits"] for i in range(5)]
    np.testing.assert_array_equal(together, np.concatenate(alone))


def test_the_float_network_stays_and_the_price_shows():
    plain = hwsim.quantize(tokens(), calibration={"x": np.ones((3, 4, 12), np.float32)})
    graph = found_at_run_time(plain)
    images = {"x": np.random.default_rng(2).normal(size=(3, 4, 12)).astype(np.float32)}
    np.testing.assert_allclose(run_float(graph, images)["y"], run_float(plain, images)["y"], rtol=1e-5, atol=1e-5)
    assert demands_of(graph).run_time_scales == 1  # the first product reads the network's input
    machine = hwsim.accelerator("edge_16x16")
    rows = {row["layer"]: row for row in hwsim.simulate(graph, machine).layers.rows()}
    assert rows["second.quantize"]["vector_cycles"] > 0
    assert rows["second.rescale"]["vector_cycles"] > 0


def test_corrected_biases_are_added():
    graph = state_of().graph
    nodes = [graph.node_of[name] for name in ("depthwise.conv", "logits")]
    for node in nodes:
        graph = with_bias(graph, node, held(graph, node) + 0.5)
    changed = found_at_run_time(graph)
    for node in nodes:
        bias = changed.tensors[node.inputs[2]]
        np.testing.assert_array_equal(bias.data.reshape(-1), held(graph, node).astype(np.float32))
