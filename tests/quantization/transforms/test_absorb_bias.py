"""High biases move into the next layer; what that changes of the function is bounded and reported."""

import numpy as np
import pytest

import hwsim
from hwsim.execute.float32 import run_float
from hwsim.quantization.scheme import Scheme
from hwsim.quantization.state import State
from hwsim.quantization.transforms.absorb_bias import AbsorbBias, absorb_bias
from tests.quantization.transforms.graphs import Builder

RNG = np.random.default_rng(0)
HIGH = ((9.0, 1.0, 12.0, -5.0), (1.0, 1.0, 2.0, 1.0))
MOVED = np.array([6.0, 0.0, 6.0, 0.0])  # max(0, mean - 3 deviations)


def network(pad=0, high=None):
    b = Builder(1)
    x = b.conv("x", clamp=(0.0, high), normal=HIGH)
    return b.graph(b.head(b.conv(x, pad=pad)))


def test_the_biases_by_the_equation():
    graph = network()
    after, layers = absorb_bias(graph)
    assert layers == ("n_conv0",)
    np.testing.assert_allclose(after.tensors["b0"].data, graph.tensors["b0"].data - MOVED, rtol=1e-6)
    added = graph.tensors["w1"].data.sum(axis=(2, 3)) @ MOVED
    np.testing.assert_allclose(after.tensors["b1"].data, graph.tensors["b1"].data + added, rtol=1e-5)
    np.testing.assert_allclose(after.node_of["n_conv0"].attributes["normal"][0], HIGH[0] - MOVED)
    for name in ("w0", "w1"):
        np.testing.assert_array_equal(after.tensors[name].data, graph.tensors[name].data)


def test_exact_where_the_activation_is_never_below_what_is_moved():
    graph = network()
    raised = graph.tensors["b0"].data + np.array([60.0, 0.0, 60.0, 0.0], dtype=np.float32)
    graph = graph.with_changes(tensors=[hwsim.graph.Tensor(name="b0", shape=(4,), data=raised)])
    x = {"x": RNG.normal(size=(4, 3, 6, 6)).astype(np.float32)}
    assert run_float(graph, x, keep=["conv0"])["conv0"][:, [0, 2]].min() > 6
    after, _ = absorb_bias(graph)
    first, second = (next(iter(run_float(each, x).values())) for each in (graph, after))
    np.testing.assert_allclose(second, first, atol=1e-5 * np.abs(first).max())
    assert run_float(after, x, keep=["conv0"])["conv0"].max() < run_float(graph, x, keep=["conv0"])["conv0"].max() - 5


@pytest.mark.parametrize("options", [{"pad": 1}, {"high": 6.0}])
def test_zero_padding_and_clips_are_in_the_way(options):
    assert absorb_bias(network(**options))[1] == ()


def test_borders_are_a_choice_and_cost_some_error():
    graph = network(pad=1)
    raised = graph.tensors["b0"].data + 60
    graph = graph.with_changes(tensors=[hwsim.graph.Tensor(name="b0", shape=(4,), data=raised)])
    after, layers = absorb_bias(graph, borders=True)
    assert layers == ("n_conv0",)
    x = {"x": RNG.normal(size=(4, 3, 6, 6)).astype(np.float32)}
    first, second = (run_float(each, x, keep=["conv1"])["conv1"] for each in (graph, after))
    np.testing.assert_allclose(second[..., 1:-1, 1:-1], first[..., 1:-1, 1:-1], atol=1e-5 * np.abs(first).max())
    assert np.abs(second - first).max() > 0.1


def test_the_step_says_what_it_did():
    machine = hwsim.accelerator("edge_16x16")
    x = {"x": RNG.normal(size=(4, 3, 6, 6)).astype(np.float32)}
    graph = network()
    done = AbsorbBias()(State(reference=graph, graph=graph, calibration=x, scheme=Scheme(), machine=machine))
    assert done.notes[0].startswith("biases of 1 layers were absorbed in the next ones, which leaves")
    assert np.isfinite(done.losses["absorb_bias.sqnr_db"])
    none = AbsorbBias(deviations=100.0)(
        State(reference=graph, graph=graph, calibration=x, scheme=Scheme(), machine=machine)
    )
    assert none.notes == ("no bias could be absorbed",)
