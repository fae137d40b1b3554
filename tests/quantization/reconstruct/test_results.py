"""Grids that depend on what was learned follow it."""

from dataclasses import replace

import numpy as np
import pytest

from hwsim.errors import HwsimError
from hwsim.quantization.correct.biases import held, with_bias
from hwsim.quantization.reconstruct.results import settled
from tests.quantization.reconstruct.small import state_of


def scaled(tensor, factor):
    return replace(tensor, quant=replace(tensor.quant, scale=tuple(factor * scale for scale in tensor.quant.scale)))


def test_biases_follow_the_scale_of_their_input():
    graph = state_of().graph
    changed = settled(graph, [scaled(graph.tensors["stem.relu"], 2.0)])
    (node,) = [node for node in changed.nodes if node.inputs[0] == "stem.relu" and node.op == "Conv"]
    ifmap, weight, bias = (changed.tensors[name].quant.scales() for name in node.inputs)
    np.testing.assert_array_equal(bias, ifmap * weight)
    assert bias[0] == pytest.approx(2 * graph.tensors[node.inputs[2]].quant.scale[0])


def test_moves_pass_the_new_grid_on():
    graph = state_of().graph
    changed = settled(graph, [scaled(graph.tensors["pool"], 2.0)])
    assert changed.tensors["flatten"].quant == changed.tensors["pool"].quant != graph.tensors["pool"].quant


def test_a_bias_that_no_longer_fits_is_an_error():
    graph = state_of().graph
    with pytest.raises(HwsimError, match="its bias needs"):
        settled(graph, [scaled(graph.tensors["stem.relu"], 1e-9)])


def test_corrected_biases_keep_their_values():
    graph = state_of().graph
    node = graph.node_of["depthwise.conv"]
    graph = with_bias(graph, node, held(graph, node) + 0.5)
    changed = settled(graph, [scaled(graph.tensors["stem.relu"], 2.0)])
    step = max(changed.tensors[node.inputs[2]].quant.scale)
    np.testing.assert_allclose(held(changed, node), held(graph, node), atol=1.01 * step)
