"""The step that learns exponents: layer by layer, never worse, and biases still fit their units."""

from dataclasses import replace

import numpy as np
import pytest

from hwsim.errors import HwsimError
from hwsim.graph.fusion import bias_format
from hwsim.quantization.constants import WEIGHTED
from hwsim.quantization.reconstruct import LearnExponents
from hwsim.quantization.reconstruct.nupes import _widened
from tests.quantization.reconstruct.small import state_of

pytest.importorskip("torch", reason='learns: pip install "hwsim[train]"')

FEW = LearnExponents(iterations=40, batch=8)


@pytest.fixture(scope="module")
def state():
    return state_of(weights="power3", granularity="channel")


def test_weights_change_and_the_loss_falls(state):
    learned = FEW(state)
    assert learned.losses["nupes.loss"] < learned.losses["nupes.searched"]
    changed = [name for name, tensor in state.graph.tensors.items() if learned.graph.tensors[name].codes is not tensor.codes]  # fmt: skip
    products = [node for node in state.graph.nodes if node.op in WEIGHTED]
    assert changed
    assert set(changed) <= {node.inputs[1] for node in products}
    for name, tensor in state.graph.tensors.items():
        assert learned.graph.tensors[name].data is tensor.data


@pytest.mark.parametrize("weights", ["int3", "codebook3", "power3:0.7"])
def test_other_formats_stay_as_they_are(weights):
    state = state_of(weights=weights, granularity="channel")
    learned = FEW(state)
    assert dict(learned.graph.tensors) == dict(state.graph.tensors)
    assert learned.losses["nupes.loss"] == learned.losses["nupes.searched"] == 0.0


def test_a_bias_fits_the_units_of_every_exponent(state):
    graph, node = state.graph, state.graph.node_of["pointwise.conv"]
    weight, bias = (graph.tensors[name] for name in node.inputs[1:3])
    tiny = replace(weight.quant, scale=tuple(1e-12 for _ in weight.quant.scale))
    wide = _widened(graph, node, tiny)
    ifmap = graph.tensors[node.inputs[0]].quant
    steps = np.abs(bias.data) / (wide.scales().astype(np.float64) * float(ifmap.scales().max()))
    assert steps.max() <= bias_format(ifmap, wide).maximum
    assert _widened(graph, node, weight.quant) == weight.quant


def test_images_are_needed(state):
    with pytest.raises(HwsimError, match="nupes: needs calibration images"):
        FEW(state.with_(calibration=None))
