"""Bias correction: means come back, the float network stays, nothing runs on images it was not given."""

from dataclasses import replace

import numpy as np
import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.hardware import PrecisionPlan
from hwsim.quantization.calibrate import observe
from hwsim.quantization.correct import CorrectBias, mean_errors
from hwsim.quantization.prepare import prepare
from hwsim.quantization.quantize import Scheme, quantize, with_activations
from hwsim.quantization.state import State

GRAPH = prepare(hwsim.load("digits_mobilenet"))
IMAGES = {name: hwsim.dataset("digits_mobilenet", "calibration")[name][:64] for name in GRAPH.inputs}
TEST = hwsim.dataset("digits_mobilenet", "test")
MACHINE = hwsim.accelerator("edge_16x16")
SCHEME = Scheme(plan=PrecisionPlan(default={"weights": "int4", "weight_granularity": "tensor"}))
START = State(
    reference=GRAPH, graph=quantize(GRAPH, SCHEME, IMAGES), calibration=IMAGES, scheme=SCHEME, machine=MACHINE
)
EMPIRICAL = CorrectBias()(START)


def steps_of_bias(graph, name):
    return graph.tensors[graph.node_of[name].inputs[2]].quant.scales().astype(np.float64)


def result(state):
    return hwsim.simulate(state.graph, MACHINE, TEST).summary["metrics"]


def rms(errors):
    return float(np.sqrt(np.mean(np.concatenate([np.square(each) for each in errors.values()]))))


def test_empirical_correction_restores_every_mean_to_half_a_step_of_the_bias():
    before, after = mean_errors(START), mean_errors(EMPIRICAL)
    assert set(after) == {node.name for node in GRAPH.nodes if node.op in ("Conv", "Gemm")}
    for name, error in after.items():
        assert np.abs(error).max() <= 0.5 * steps_of_bias(EMPIRICAL.graph, name).max() + 1e-4, name
    assert rms(after) < 0.02 * rms(before)


def test_with_real_activations_the_means_of_the_network_with_quantized_weights_are_restored():
    corrected = CorrectBias(activations=False)(START)
    for name, error in mean_errors(corrected, activations=False).items():
        assert np.abs(error).max() <= 0.5 * steps_of_bias(corrected.graph, name).max() + 1e-4, name
    assert rms(mean_errors(corrected)) > rms(mean_errors(EMPIRICAL))


def test_the_network_gets_better_and_its_float_reference_stays():
    before, after = result(START), result(EMPIRICAL)
    assert after["accuracy"] > before["accuracy"]
    assert after["float_accuracy"] == before["float_accuracy"]


def test_a_second_correction_changes_nothing():
    again = CorrectBias()(EMPIRICAL)
    for name, tensor in EMPIRICAL.graph.tensors.items():
        if tensor.codes is not None:
            assert np.abs(again.graph.tensors[name].codes.astype(np.int64) - tensor.codes).max() <= 1, name
    analytic = CorrectBias(kind="analytic")(START)
    twice = CorrectBias(kind="analytic")(analytic)
    for name, tensor in analytic.graph.tensors.items():
        if tensor.codes is not None:
            assert (twice.graph.tensors[name].codes == tensor.codes).all(), name


def test_the_same_state_gives_the_same_integers():
    again = CorrectBias()(START)
    for name, tensor in EMPIRICAL.graph.tensors.items():
        assert (tensor.codes is None) == (again.graph.tensors[name].codes is None)
        assert tensor.codes is None or (tensor.codes == again.graph.tensors[name].codes).all()


def test_analytic_correction_reads_no_image():
    without = CorrectBias(kind="analytic")(START.with_(calibration=None))
    assert without.notes == (
        "analytic bias correction: nothing is known of the inputs of stem.conv; they keep their biases",
    )
    assert rms(mean_errors(without.with_(calibration=IMAGES))) < 0.8 * rms(mean_errors(START))
    stem = GRAPH.node_of["stem.conv"].inputs[2]
    assert without.graph.tensors[stem].codes is None
    assert without.losses["analytic_correction.after"] < 0.05 * without.losses["analytic_correction.before"]
    informed = CorrectBias(kind="analytic")(START)  # the mean of the images, for the first layer
    assert informed.notes == ()
    assert informed.graph.tensors[stem].codes is not None


def test_empirical_correction_says_that_it_needs_images():
    with pytest.raises(HwsimError, match="empirical bias correction: needs calibration images"):
        CorrectBias()(START.with_(calibration=None))


def test_a_float_network_has_nothing_to_correct():
    with pytest.raises(HwsimError, match="bias correction: the network has no grids yet; SetGrids comes first"):
        CorrectBias(kind="analytic")(START.with_(graph=GRAPH))


def test_an_unknown_kind_is_refused():
    with pytest.raises(HwsimError, match="kind must be empirical or analytic, not 'guess'"):
        CorrectBias(kind="guess")


def test_only_images_of_the_state_decide():
    other = {name: images[:16] for name, images in IMAGES.items()}
    codes = [CorrectBias()(START.with_(calibration=images)).graph.tensors for images in (IMAGES, other)]
    assert any(
        tensor.codes is not None and (tensor.codes != codes[1][name].codes).any() for name, tensor in codes[0].items()
    )


def test_a_layer_without_a_bias_gets_one():
    nodes = [replace(node, inputs=node.inputs[:2]) if node.name == "stem.conv" else node for node in START.graph.nodes]
    corrected = CorrectBias()(START.with_(graph=START.graph.with_changes(nodes=nodes)))
    bias = corrected.graph.tensors["stem.conv.bias"]
    assert (bias.data == 0).all()
    assert bias.codes.any()
    assert (
        np.abs(mean_errors(corrected)["stem.conv"]).max()
        <= 0.5 * steps_of_bias(corrected.graph, "stem.conv").max() + 1e-4
    )


def test_a_corrected_bias_follows_other_activation_grids():
    plan = PrecisionPlan(default={"weights": "int4", "weight_granularity": "tensor", "activation_range": "mse"})
    graph = with_activations(EMPIRICAL.graph, Scheme(plan=plan), observe(GRAPH, IMAGES))
    for node in graph.nodes:
        if node.op in ("Conv", "Gemm"):
            before, after = (each.tensors[node.inputs[2]] for each in (EMPIRICAL.graph, graph))
            held = [each.quant.decode(each.codes) for each in (before, after)]
            assert np.abs(held[0] - held[1]).max() <= 0.51 * after.quant.scales().max()


def as_matmul(start, name):
    """Return the state whose Gemm of this name is a MatMul, its bias gone."""
    nodes = [
        replace(node, op="MatMul", inputs=node.inputs[:2], attributes={}) if node.name == name else node
        for node in start.graph.nodes
    ]
    return start.with_(graph=start.graph.with_changes(nodes=nodes))


@pytest.mark.parametrize("kind", ["empirical", "analytic"])
def test_products_without_a_bias_are_told(kind):
    gemm = next(node.name for node in GRAPH.nodes if node.op == "Gemm")
    total = sum(node.op in ("Conv", "Gemm") for node in GRAPH.nodes)
    step = CorrectBias(kind=kind)
    assert step(START).notes == ()
    assert step(as_matmul(START, gemm)).notes == (
        f"bias correction: {total - 1} of {total} products with constant weights were corrected; MatMul has no bias",
    )
