"""A draft changes constants and leaves the graph it came from alone."""

import numpy as np

from hwsim.quantization.transforms.draft import Draft
from tests.quantization.transforms.graphs import Builder


def network():
    b = Builder(1)
    return b.graph(b.conv(b.conv("x", bias=False)))


def test_constants_are_changed_in_the_result_only():
    graph = network()
    before = graph.tensors["w0"].data.copy()
    draft = Draft(graph)
    draft.operand("n_conv0", 1, lambda weight: weight * 2)
    after = draft.finish()
    np.testing.assert_array_equal(graph.tensors["w0"].data, before)
    np.testing.assert_array_equal(after.tensors["w0"].data, before * 2)
    assert after.tensors["w0"].data.dtype == np.float32


def test_a_bias_is_made_only_where_it_says_something():
    draft = Draft(network())
    draft.bias("n_conv0", 4, lambda bias: bias * 2)
    assert len(draft.finish().node_of["n_conv0"].inputs) == 2
    draft.bias("n_conv0", 4, lambda bias: bias + 1)
    made = draft.finish()
    np.testing.assert_array_equal(made.tensors[made.node_of["n_conv0"].inputs[2]].data, np.ones(4))


def test_names_are_not_taken_twice():
    draft = Draft(network())
    assert draft.unused("fresh") == "fresh"
    assert draft.unused("w0") == "w0.2"
