"""Biases with codes of their own."""

from dataclasses import replace

import numpy as np
import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.quantization.correct.biases import held, with_bias, with_biases

GRAPH = hwsim.quantize(
    hwsim.load("digits_resnet"), weights="int4", calibration=hwsim.dataset("digits_resnet", "calibration")
)
NODE = GRAPH.node_of["block1.conv1"]


def test_a_bias_gets_codes_and_keeps_its_float_value():
    values = held(GRAPH, NODE) + 0.25
    changed = with_bias(GRAPH, NODE, values)
    before, after = (graph.tensors[NODE.inputs[2]] for graph in (GRAPH, changed))
    assert (before.data == after.data).all()
    assert before.quant == after.quant
    np.testing.assert_allclose(held(changed, NODE), values, atol=after.quant.scales().max() / 2)


def test_a_single_value_for_all_channels_becomes_one_for_each():
    bias = GRAPH.tensors[NODE.inputs[2]]
    single = replace(bias, shape=(1,), data=np.float32([0.5]))
    found = with_biases(GRAPH.with_changes(tensors=[single])).tensors[bias.name]
    assert found.shape == bias.shape
    assert (found.data == 0.5).all()
    assert with_biases(GRAPH) is GRAPH


def test_a_value_beyond_the_codes_is_named_with_its_layer():
    with pytest.raises(
        HwsimError, match=r"layer 'block1.conv1': its corrected bias needs .* steps .*, more than int32 holds"
    ):
        with_bias(GRAPH, NODE, np.full(held(GRAPH, NODE).size, 1e9))
