import numpy as np
import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.hardware import PrecisionPlan
from hwsim.hardware.precision import PrecisionRule

CALIBRATION = hwsim.dataset("digits_resnet", "calibration")
NETWORK = hwsim.load("digits_resnet")


def formats(graph):
    return {name: str(tensor.quant.format) for name, tensor in graph.tensors.items() if tensor.quant}


def test_every_tensor_has_a_calibrated_grid():
    graph = hwsim.quantize(NETWORK, calibration=CALIBRATION)
    assert all(tensor.quant is not None and tensor.quant.is_calibrated for tensor in graph.tensors.values())


def test_without_calibration_only_the_widths_are_known():
    graph = hwsim.quantize(NETWORK, weights="int4", activations="uint6")
    assert not graph.tensors["block1.relu1"].quant.is_calibrated
    assert formats(graph)["block1.relu1"] == "uint6"


def test_the_boundary_keeps_eight_bits():
    graph = hwsim.quantize(NETWORK, activations="uint4", calibration=CALIBRATION)
    found = formats(graph)
    assert (found["image"], found["block1.relu1"], found["logits"]) == ("uint8", "uint4", "uint8")
    assert formats(hwsim.quantize(NETWORK, activations="uint4", boundary_bits=1))["logits"] == "uint4"


def test_moves_pass_the_grid_of_their_input_on():
    graph = hwsim.quantize(NETWORK, calibration=CALIBRATION)
    assert graph.tensors["head.flatten"].quant == graph.tensors["head.pool"].quant


def test_bias_is_on_the_grid_of_the_accumulator():
    graph = hwsim.quantize(NETWORK, calibration=CALIBRATION)
    node = graph.node_of["block1.conv1"]
    ifmap, weight, bias = (graph.tensors[name].quant for name in node.inputs)
    np.testing.assert_array_equal(bias.scales(), ifmap.scales() * weight.scales())
    assert str(bias.format) == "int32"


def test_rules_apply_to_the_layers_they_match():
    rules = (PrecisionRule(match="block2.*", weights="int4"), PrecisionRule(match="block2.conv2", activations="uint6"))
    graph = hwsim.quantize(NETWORK, calibration=CALIBRATION, plan=PrecisionPlan(layer=rules))
    found = formats(graph)
    assert (found["block2.conv1.folded_weight"], found["block1.conv1.folded_weight"]) == ("int4", "int8")
    assert (found["block2.bn2"], found["block2.relu1"]) == ("uint6", "uint8")


def test_a_rule_that_matches_nothing_is_an_error():
    plan = PrecisionPlan(layer=(PrecisionRule(match="blok*", weights="int4"),))
    with pytest.raises(HwsimError, match=r"precision plan: no layer of digits_resnet matches 'blok\*'; layers are "):
        hwsim.quantize(NETWORK, plan=plan)


def test_symmetric_activations_name_the_tensor_that_does_not_fit():
    with pytest.raises(HwsimError) as error:
        hwsim.quantize(NETWORK, activation_symmetry="symmetric", calibration=CALIBRATION)
    assert str(error.value).startswith(
        "layer 'block1.conv2', tensor 'block1.bn2': quantization: a symmetric uint8 grid cannot hold -"
    )


@pytest.mark.parametrize("weights", ["int1", "int2", "int16", "uint5", "int4n"])
@pytest.mark.parametrize("symmetry", ["symmetric", "asymmetric"])
def test_all_weight_widths_give_grids(weights, symmetry):
    if weights.startswith("u") and symmetry == "symmetric":
        with pytest.raises(HwsimError, match="cannot hold"):
            hwsim.quantize(NETWORK, weights=weights, weight_symmetry=symmetry)
        return
    graph = hwsim.quantize(NETWORK, weights=weights, weight_symmetry=symmetry, calibration=CALIBRATION)
    weight = graph.tensors["block1.conv1.folded_weight"]
    codes = weight.quant.encode(weight.data)
    assert codes.min() >= weight.quant.format.minimum
    assert codes.max() <= weight.quant.format.maximum


def test_a_bias_beyond_int32_widens_its_channel():
    tensors = dict(NETWORK.tensors)
    name = "block1.bn1.weight" if "block1.bn1.weight" in tensors else NETWORK.node_of["block1.bn1"].inputs[1]
    gamma = tensors[name].data.copy()
    gamma[3] = 1e-12
    from dataclasses import replace

    dead = NETWORK.with_changes(tensors=[replace(tensors[name], data=gamma)])
    graph = hwsim.quantize(dead, calibration=CALIBRATION)
    bias = graph.tensors["block1.conv1.folded_bias"]
    restored = bias.quant.decode(bias.quant.encode(bias.data))
    np.testing.assert_allclose(restored, bias.data, rtol=1e-3, atol=1e-4)


def test_power_of_two_scales():
    graph = hwsim.quantize(NETWORK, calibration=CALIBRATION, power_of_two=True)
    scales = np.concatenate([tensor.quant.scales() for tensor in graph.tensors.values() if tensor.quant])
    mantissas, _ = np.frexp(scales)
    assert set(mantissas) == {0.5}
