"""The induced network is the same function with other ranges."""

import numpy as np
import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.execute.float32 import run_float
from hwsim.quantization.prepare import prepare
from hwsim.quantization.transforms.clip_to_relu import clip_to_relu
from hwsim.quantization.transforms.equalize import equalize
from hwsim.quantization.transforms.imbalance import induce_imbalance
from tests.quantization.transforms.graphs import Builder, assert_same_function


def test_every_factor_is_within_its_bounds_and_drawn_from_the_seed():
    b = Builder(1)
    graph = b.graph(b.head(b.conv(b.conv("x", clamp=(0.0, None)))))
    first, again, other = (induce_imbalance(graph, seed, 2.0) for seed in (3, 3, 4))
    factors = np.log2(graph.tensors["b0"].data / first.tensors["b0"].data)
    assert np.abs(factors).max() <= 2
    assert np.abs(factors).min() > 0
    np.testing.assert_array_equal(first.tensors["w0"].data, again.tensors["w0"].data)
    assert not np.array_equal(first.tensors["w0"].data, other.tensors["w0"].data)
    assert first.notes[-1] == "induced imbalance: channels of 2 edges are scaled by up to 2^2 (seed 3)"
    assert_same_function(graph, first)


@pytest.mark.parametrize("network", ["digits_resnet", "digits_mobilenet"])
def test_digit_networks_keep_their_function_and_equalization_undoes_it(network):
    graph = clip_to_relu(prepare(hwsim.load(network)))
    induced = induce_imbalance(graph, 0)
    image = {"image": hwsim.dataset(network, "test")["image"][:64]}
    before, after = (run_float(each, image)["logits"] for each in (graph, induced))
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-5 * np.abs(before).max())
    for name, tensor in equalize(graph, tolerance=1e-7)[0].tensors.items():
        if tensor.is_constant:
            data = equalize(induced, tolerance=1e-7)[0].tensors[name].data
            np.testing.assert_allclose(data, tensor.data, rtol=1e-3, atol=1e-5)


def test_a_relu6_network_has_no_edge_for_it():
    graph = prepare(hwsim.load("digits_mobilenet"))
    with pytest.raises(HwsimError, match=r"no edge between two weights can be scaled .*clip_to_relu opens ReLU6"):
        induce_imbalance(graph, 0)
    assert "channels of 1 edges" in induce_imbalance(graph, 0, ties=True).notes[-1]  # its linear bottlenecks, tied
