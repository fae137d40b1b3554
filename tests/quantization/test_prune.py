"""Pruning to N:M sparsity: codes obey, the float reference stays, and what cannot be pruned is named."""

import numpy as np
import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.graph import Graph, k_axis
from hwsim.hardware import PrecisionPlan
from hwsim.hardware.precision import PrecisionRule
from hwsim.numerics.sparsity import Sparsity

CALIBRATION = hwsim.dataset("digits_resnet", "calibration")
NETWORK = hwsim.load("digits_resnet")
DENSE_STEM = PrecisionPlan(layer=(PrecisionRule(match="stem.conv", sparsity="dense"),))


def weights_of(graph: Graph):
    return {node.name: (node, graph.tensors[node.inputs[1]]) for node in graph.nodes if node.op in ("Conv", "Gemm")}


@pytest.mark.parametrize("text", ["2:4", "1:4", "3:8", "1:2"])
def test_codes_obey_and_data_stays(text):
    pattern = Sparsity.parse(text)
    dense = weights_of(hwsim.quantize(NETWORK, calibration=CALIBRATION))
    for name, (node, weight) in weights_of(
        hwsim.quantize(NETWORK, calibration=CALIBRATION, sparsity=text, plan=DENSE_STEM)
    ).items():
        np.testing.assert_array_equal(weight.data, dense[name][1].data)
        if name == "stem.conv":
            assert weight.sparsity is None
            np.testing.assert_array_equal(weight.encoded(), dense[name][1].encoded())
            continue
        assert weight.sparsity == pattern
        assert pattern.excess(weight.encoded(), k_axis(node, weight)) == 0
        pruned = pattern.pruned(np.asarray(weight.data), k_axis(node, weight))
        np.testing.assert_array_equal(weight.encoded(), weight.quant.encode(pruned))
        assert np.count_nonzero(weight.encoded()) < np.count_nonzero(dense[name][1].encoded())


def test_ranges_are_those_of_what_stays():
    graph = hwsim.quantize(NETWORK, calibration=CALIBRATION, sparsity="1:8", plan=DENSE_STEM, range="minmax")
    dense = hwsim.quantize(NETWORK, calibration=CALIBRATION, range="minmax")
    name = "block2.conv1.folded_weight"
    assert (graph.tensors[name].quant.scales() <= dense.tensors[name].quant.scales()).all()


def test_weights_need_no_calibration():
    graph = hwsim.quantize(NETWORK, weights="int4", sparsity="2:4", plan=DENSE_STEM)
    node, weight = weights_of(graph)["block1.conv1"]
    assert weight.sparsity.excess(weight.encoded(), k_axis(node, weight)) == 0


def test_what_has_no_whole_blocks_is_named():
    with pytest.raises(HwsimError) as caught:
        hwsim.quantize(NETWORK, calibration=CALIBRATION, sparsity="2:4")
    assert str(caught.value) == (
        "layer 'stem.conv': sparsity 2:4 needs whole blocks of 4 along the input channels of a group, which are 1; "
        'state sparsity = "dense" for this layer'
    )


def test_a_zero_must_be_code_zero():
    with pytest.raises(HwsimError, match=r"layer 'block1.conv1': sparsity 2:4 needs weights whose code 0 is zero"):
        hwsim.quantize(NETWORK, calibration=CALIBRATION, sparsity="2:4", weight_symmetry="asymmetric", plan=DENSE_STEM)


def test_a_network_that_came_quantized_is_said_to_obey():
    came = hwsim.quantize(NETWORK, calibration=CALIBRATION)
    graph = hwsim.quantize(came, sparsity="2:4", plan=DENSE_STEM)
    for name, (_, weight) in weights_of(graph).items():
        np.testing.assert_array_equal(weight.encoded(), weights_of(came)[name][1].encoded())
    assert str(weights_of(graph)["head.fc"][1].sparsity) == "2:4"


def test_a_plan_of_sparsity_states_no_grids():
    assert not PrecisionPlan(default={"sparsity": "2:4"}).states_grids
    assert PrecisionPlan(default={"sparsity": "2:4"}).for_layer("fc").pattern == Sparsity.parse("2:4")
    assert DENSE_STEM.for_layer("stem.conv").pattern is None
    with pytest.raises(ValueError, match="must be 'dense' or a pattern N:M as 2:4, not '4:2'"):
        PrecisionPlan(default={"sparsity": "4:2"})
