from dataclasses import replace

import numpy as np
import pytest

from hwsim.errors import HwsimError
from hwsim.graph import passes_grid
from hwsim.quantization.constants import WEIGHTED
from hwsim.quantization.correct.biases import held, with_bias
from hwsim.quantization.reconstruct import Brecq
from hwsim.quantization.reconstruct.brecq import activation_scales
from hwsim.quantization.reconstruct.scopes import blocks
from tests.execute.integer import independent
from tests.integers import every_tensor
from tests.quantization.reconstruct.small import state_of, stored

pytest.importorskip("torch", reason='learns: pip install "hwsim[train]"')

FEW = Brecq(iterations=40, rate=5e-2, scale_iterations=40, scale_rate=5e-3, batch=8)


@pytest.fixture(scope="module")
def state():
    return state_of(activations="uint4", boundary_bits=4)


@pytest.fixture(scope="module")
def learned(state):
    return FEW(state)


def test_both_passes_make_their_loss_smaller(learned):
    assert learned.losses["brecq.loss"] < learned.losses["brecq.nearest"]
    assert learned.losses["brecq_scales.loss"] < learned.losses["brecq_scales.start"]


def test_weights_get_codes_and_activations_scales(state, learned):
    for node in state.graph.nodes:
        if node.op in WEIGHTED:
            weight = learned.graph.tensors[node.inputs[1]]
            assert weight.codes is not None
            assert weight.quant == state.graph.tensors[node.inputs[1]].quant
    moved = [name for name, tensor in state.graph.tensors.items() if not tensor.is_constant and tensor.quant != learned.graph.tensors[name].quant]  # fmt: skip
    assert moved
    for name in moved:
        before, after = state.graph.tensors[name].quant, learned.graph.tensors[name].quant
        assert (before.format, before.zero_point) == (after.format, after.zero_point)
    assert learned.graph.tensors["image"].quant == state.graph.tensors["image"].quant


def test_biases_and_moves_follow(learned):
    graph = learned.graph
    for node in graph.nodes:
        grids = [graph.tensors[name].quant for name in (*node.inputs, *node.outputs)]
        if node.op in WEIGHTED and len(node.inputs) > 2:
            np.testing.assert_array_equal(grids[2].scales(), grids[0].scales() * grids[1].scales())
        if passes_grid(node):
            assert grids[0] == grids[-1]


def test_the_integers_are_executed(state, learned):
    images = state.calibration
    ours = every_tensor(learned.graph, state.machine, images)
    for name, codes in independent.run(stored(learned.graph), images["image"], "fixed_point").items():
        np.testing.assert_array_equal(ours[name], codes, err_msg=name)


def test_scales_can_be_left(state):
    alone = Brecq(iterations=5, scale_iterations=0, batch=8)(state)
    assert all(tensor.quant == alone.graph.tensors[name].quant for name, tensor in state.graph.tensors.items())
    assert not any(name.startswith("brecq_scales") for name in alone.losses)


def test_powers_of_two_stay_powers_of_two():
    state = state_of(activations="uint4", boundary_bits=4, power_of_two=True)
    graph = FEW(state).graph
    scales = np.concatenate([t.quant.scales() for t in graph.tensors.values() if t.quant is not None])
    assert set(np.frexp(scales)[0]) == {0.5}


def test_a_scale_shrinks_no_further_than_the_biases_behind_it_allow(state):
    found = [
        p for scope in blocks(state.graph) for p in activation_scales(state.graph, scope, rate=0.1, power_of_two=False)
    ]
    stem = next(p for p in found if p.tensor.name == "stem.relu")
    node = next(node for node in state.graph.consumers_of["stem.relu"] if node.op in WEIGHTED)
    bias = state.graph.tensors[node.inputs[2]]
    largest = np.abs(bias.data / bias.quant.scales()).max()
    assert 1.0 < stem.least * (2**31 - 1) / largest < 1.02
    assert len(found) == 5  # stem, both of the block and its sum, the logits


def test_without_fisher_no_logits_are_needed(state):
    plain = Brecq(iterations=5, scale_iterations=0, batch=8, loss="mse")(state)
    assert plain.losses["brecq.loss"] <= plain.losses["brecq.nearest"]


def test_a_corrected_bias_bounds_the_scale_before_it(state):
    node = next(node for node in state.graph.consumers_of["stem.relu"] if node.op in WEIGHTED)
    step = max(state.graph.tensors[node.inputs[2]].quant.scale)
    graph = with_bias(state.graph, node, np.full_like(held(state.graph, node), step * 2.0**30))
    found = [p for scope in blocks(graph) for p in activation_scales(graph, scope, rate=0.1, power_of_two=False)]
    least = next(p.least for p in found if p.tensor.name == "stem.relu")
    assert 0.5 < least < 0.51


def test_the_first_result_may_leave_the_network_early(state):
    graph = replace(state.graph, outputs=("flatten", "logits"))
    early = Brecq(iterations=5, scale_iterations=0, batch=8)(state.with_(graph=graph))
    assert early.losses["brecq.loss"] <= early.losses["brecq.nearest"]
    images = replace(state.graph, outputs=("sum", "logits"))
    with pytest.raises(HwsimError, match=r"Fisher weights need logits .* 'sum' has 4 dimensions"):
        FEW(state.with_(graph=images))
