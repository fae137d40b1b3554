"""Equalization leaves the function and makes the ranges equal, by its closed form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hwsim
from hwsim.execute.float32 import run_float
from hwsim.quantization.prepare import prepare
from hwsim.quantization.scheme import Scheme
from hwsim.quantization.state import State
from hwsim.quantization.transforms.draft import Draft
from hwsim.quantization.transforms.equalize import Equalize, equalize, without_obstacles
from hwsim.quantization.transforms.pairs import chains, scalable_regions
from hwsim.quantization.transforms.rules import Reach
from tests.quantization.transforms.graphs import CHANNELS, Builder, assert_same_function, drawn_network


def ranges_of(graph, ties=False):
    draft = Draft(graph)
    return [chain.ranges(draft) for chain in chains(draft.graph, scalable_regions(draft.graph, Reach(ties=ties)))]


def assert_equal_ranges(graph, tolerance=1e-3, ties=False):
    for ranges in ranges_of(graph, ties):
        alive = (ranges > 0).all(axis=0)
        np.testing.assert_allclose((ranges.max(axis=0) / ranges.min(axis=0))[alive], 1, rtol=tolerance)


@pytest.mark.parametrize("network", ["digits_resnet", "digits_mobilenet"])
@pytest.mark.parametrize("ties", [False, True])
def test_digit_networks_keep_their_function_and_get_equal_ranges(network, ties):
    graph = without_obstacles(prepare(hwsim.load(network)), ties=ties)
    image = hwsim.dataset(network, "test")["image"][:64]
    after, edges = equalize(graph, ties=ties)
    assert edges == {("digits_resnet", False): 3, ("digits_mobilenet", False): 9}.get((network, ties), edges)
    before, now = (run_float(each, {"image": image})["logits"] for each in (graph, after))
    np.testing.assert_allclose(now, before, rtol=0, atol=1e-5 * np.abs(before).max())
    assert max((ranges.max(axis=0) / ranges.min(axis=0)).max() for ranges in ranges_of(graph, ties)) > 2
    assert_equal_ranges(after, ties=ties)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), length=st.integers(1, 7), ties=st.booleans())
def test_drawn_networks_keep_their_function_and_get_equal_ranges(seed, length, ties):
    graph = drawn_network(seed, length)
    after, _ = equalize(graph, ties=ties, iterations=2000)
    assert len(after.nodes) == len(graph.nodes)
    assert_same_function(graph, after)
    assert_equal_ranges(after, 1e-2, ties)


def test_a_pair_by_the_equation():
    """s_i = sqrt(r1_i r2_i) / r2_i, and both ranges are sqrt(r1_i r2_i) afterwards."""
    b = Builder(1)
    graph = b.graph(b.conv(b.conv("x", clamp=(0.0, None))))
    r1 = np.abs(graph.tensors["w0"].data).max(axis=(1, 2, 3))
    r2 = np.abs(graph.tensors["w1"].data).max(axis=(0, 2, 3))
    after, edges = equalize(graph)
    assert edges == 1
    scale = np.sqrt(r1 * r2) / r2
    np.testing.assert_allclose(
        after.tensors["w0"].data, graph.tensors["w0"].data / scale[:, None, None, None], rtol=1e-6
    )
    np.testing.assert_allclose(after.tensors["b0"].data, graph.tensors["b0"].data / scale, rtol=1e-6)
    np.testing.assert_allclose(after.tensors["w1"].data, graph.tensors["w1"].data * scale[:, None, None], rtol=1e-6)
    for name, axes in (("w0", (1, 2, 3)), ("w1", (0, 2, 3))):
        np.testing.assert_allclose(np.abs(after.tensors[name].data).max(axis=axes), np.sqrt(r1 * r2), rtol=1e-6)


def test_a_depthwise_triple_gets_the_cube_root():
    b = Builder(2)
    graph = b.graph(b.gemm(b.flat(b.depthwise(b.conv("x", clamp=(0.0, None)), clamp=(0.0, None)))))
    (before,) = ranges_of(graph)
    assert before.shape == (3, CHANNELS)
    after, edges = equalize(graph, iterations=1)
    assert edges == 2
    (ranges,) = ranges_of(after)
    np.testing.assert_allclose(ranges, np.broadcast_to(np.cbrt(before.prod(axis=0)), ranges.shape), rtol=1e-6)
    assert_same_function(graph, after)


def test_dead_channels_stay_as_they_are():
    b = Builder(3)
    graph = b.graph(b.conv(b.conv("x", clamp=(0.0, None))))
    dead = graph.tensors["w0"].data.copy()
    dead[1] = 0
    unread = graph.tensors["w1"].data.copy()
    unread[:, 2] = 0
    tensors = [hwsim.graph.Tensor(name=n, shape=d.shape, data=d) for n, d in (("w0", dead), ("w1", unread))]
    graph = graph.with_changes(tensors=tensors)
    after, _ = equalize(graph)
    for channel in (1, 2):
        np.testing.assert_array_equal(after.tensors["w0"].data[channel], graph.tensors["w0"].data[channel])
        np.testing.assert_array_equal(after.tensors["w1"].data[:, channel], graph.tensors["w1"].data[:, channel])
    assert np.isfinite(after.tensors["w0"].data).all()
    assert_same_function(graph, after)


def state_of(graph, images):
    return State(
        reference=graph, graph=graph, calibration=images, scheme=Scheme(), machine=hwsim.accelerator("edge_16x16")
    )


def test_the_step_opens_the_clips_that_stand_in_the_way_and_says_so():
    b = Builder(4)
    x = b.conv(b.conv("x", clamp=(0.0, 0.5)), clamp=(0.0, 0.5))
    y = b.conv(b.same("Add", x, b.conv(x)))
    graph = b.graph(y)
    images = {"x": np.random.default_rng(0).normal(size=(4, 3, 6, 6)).astype(np.float32)}
    done = Equalize()(state_of(graph, images))
    assert [node.clamp for node in done.graph.nodes][:2] == [(0.0, None), (0.0, 0.5)]  # the second is read by the sum
    assert done.notes[0].startswith("1 clips became ReLU, which leaves the float outputs a signal to noise ratio of")
    assert done.notes[1] == "equalized 1 edges"
    assert 0 < done.losses["clip_to_relu.sqnr_db"] < 100
    kept = Equalize(clip_to_relu=False)(state_of(graph, None))
    assert kept.notes == ("no edge could be equalized",)
    assert_same_function(graph, kept.graph)


def test_nothing_to_equalize_is_said():
    b = Builder(5)
    graph = b.graph(b.conv("x"))
    assert Equalize()(state_of(graph, None)).notes == ("no edge could be equalized",)


def test_tied_branches_turned_against_each_other_are_left_alone():
    b = Builder(6, shape=(1, 3, 4, 4))
    x = b.conv("x", out=4, clamp=(0.0, None))
    y = b.same("Add", x, b.add("Transpose", (x,), (1, 4, 4, 4), permutation=(0, 2, 1, 3)))
    graph = b.graph(b.conv(y))
    after, edges = equalize(graph, ties=True)
    assert edges == 0
    np.testing.assert_array_equal(after.tensors["w0"].data, graph.tensors["w0"].data)
