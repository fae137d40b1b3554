"""Constants on another grid stand for what they stood for, and what their codes cannot hold is an error."""

from dataclasses import replace

import numpy as np
import pytest

from hwsim.errors import HwsimError
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams
from hwsim.quantization.constants import bias_grids, on_grid, stood_for
from hwsim.quantization.correct.biases import held, with_bias
from hwsim.quantization.quantize import with_activations
from hwsim.quantization.set_grids import observe_quantized
from tests.quantization.reconstruct.small import state_of


def corrected(shift):
    """Return a network whose second convolution got another bias, and the node."""
    graph = state_of().graph
    node = graph.node_of["depthwise.conv"]
    return with_bias(graph, node, held(graph, node) + shift), node


def with_input_scale(graph, node, factor):
    ifmap = graph.tensors[node.inputs[0]]
    grid = replace(ifmap.quant, scale=tuple(factor * scale for scale in ifmap.quant.scale))
    return graph.with_changes(tensors=[replace(ifmap, quant=grid)])


def test_a_corrected_bias_keeps_its_value_on_another_grid():
    graph, node = corrected(0.5)
    bias = graph.tensors[node.inputs[2]]
    grid = bias_grids(with_input_scale(graph, node, 2.0))[bias.name]
    assert grid != bias.quant
    moved = on_grid(bias, grid)
    np.testing.assert_allclose(stood_for(moved), held(graph, node), atol=1.01 * max(grid.scale))
    np.testing.assert_array_equal(moved.data, bias.data)


def test_codes_on_the_same_grid_are_kept():
    """Large codes are no float32 numbers, so that a way through real numbers would change them."""
    graph, node = corrected(0.0)
    bias = graph.tensors[node.inputs[2]]
    codes = np.full(bias.shape, (1 << 30) + 1, np.int32)
    np.testing.assert_array_equal(on_grid(replace(bias, codes=codes), bias.quant).codes, codes)


def test_a_constant_without_codes_of_its_own_keeps_its_data():
    graph = state_of().graph
    weight = graph.tensors[graph.node_of["depthwise.conv"].inputs[1]]
    moved = on_grid(weight, QuantParams(format=IntFormat(bits=2), scale=(0.5,)))
    assert moved.codes is None
    np.testing.assert_array_equal(stood_for(moved), weight.data)


def test_a_corrected_bias_that_no_longer_fits_is_an_error():
    """Its float value would still fit: the codes count."""
    graph, node = corrected(0.0)
    bias = graph.tensors[node.inputs[2]]
    step = max(bias.quant.scale)
    large = with_bias(graph, node, np.full(bias.shape, step * 2.0**29))
    finer = with_input_scale(large, node, 2.0**-4)
    assert np.abs(bias.data).max() / (step / 16) < 2**31
    with pytest.raises(HwsimError, match=r"layer 'depthwise.conv': its bias needs .* steps"):
        bias_grids(finer)


def test_activations_set_again_leave_corrected_biases_where_they_are():
    state = state_of()
    graph, node = corrected(0.5)
    seen = observe_quantized(state.with_(graph=graph), state.calibration)
    moved = with_activations(graph, state.scheme, seen)
    step = max(moved.tensors[node.inputs[2]].quant.scale)
    np.testing.assert_allclose(held(moved, node), held(graph, node), atol=1.01 * step)
