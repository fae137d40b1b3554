"""The flow finds the fault that was put in, and says what to try."""

from dataclasses import replace

import numpy as np
import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.hardware.precision import PrecisionPlan, PrecisionRule
from hwsim.quantization.diagnose import diagnose
from hwsim.quantization.quantize import prepare, quantize
from hwsim.quantization.scheme import Scheme

MACHINE = hwsim.accelerator("edge_16x16")
TEST = {key: array[:96] for key, array in hwsim.dataset("digits_resnet", "test").items()}
SHOWN = {"image": hwsim.dataset("digits_resnet", "calibration")["image"]}


def quantized(*rules, **default):
    plan = PrecisionPlan(default=default, layer=rules)
    return quantize(hwsim.load("digits_resnet"), Scheme(plan=plan), SHOWN)


def diagnosed(graph, machine=MACHINE, **options):
    return diagnose(graph, machine, TEST, sweep_images=32, **options)


def halves(found):
    return {row["quantized"]: row for row in found.halves.rows()}


def test_a_good_network_is_told_to_be_good():
    found = diagnosed(quantized(weights="int8"))
    rows = halves(found)
    assert rows["float"]["sqnr_db"] == np.inf
    assert rows["fine grids"]["sqnr_db"] > 110
    assert rows["machine"] == {**rows["both"], "quantized": "machine"}  # its accumulators do not overflow
    assert rows["both"]["sqnr_db"] < min(rows["weights"]["sqnr_db"], rows["activations"]["sqnr_db"])
    assert "what is lost is lost by quantization" in found.findings[0].text
    assert "within tolerance, nothing has to be mended" in found.findings[1].text
    assert not any(finding.advice for finding in found.findings)


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        (PrecisionRule(match="block2.conv2", weights="int2"), "weights"),
        (PrecisionRule(match="block2.conv1", activations="uint2"), "activations"),
    ],
)
def test_the_one_coarse_quantizer_is_found_from_both_sides(rule, kind):
    found = diagnosed(quantized(rule, weights="int8"))
    rows = list(found.quantizers.rows())
    assert (rows[0]["layer"], rows[0]["quantizer"]) == (rule.match, kind)
    assert rows[0]["alone_sqnr_db"] == min(found.quantizers["alone_sqnr_db"])
    assert rows[0]["gain_db"] == max(found.quantizers["gain_db"]) > 6
    assert (found.culprit.layer, found.culprit.kind) == (rule.match, kind)
    other = {"weights": "activations", "activations": "weights"}[kind]
    assert halves(found)[kind]["sqnr_db"] < halves(found)[other]["sqnr_db"] - 6


def test_weights_to_blame_get_advice_for_weights():
    found = diagnosed(quantized(weights="int2", weight_granularity="tensor", range="minmax"))
    blame = next(finding for finding in found.findings if "to blame" in finding.text)
    assert "the weights are to blame" in blame.text
    assert blame.advice[0].startswith("cross-layer equalization")
    assert "one scale per output channel" in blame.advice[1]
    channels = diagnosed(quantized(weights="int2", range="minmax"))
    blame = next(finding for finding in channels.findings if "to blame" in finding.text)
    assert blame.advice[0].startswith("AdaRound (--recipe adaround) or bias correction (--recipe bias_correction;")


def test_activations_to_blame_get_advice_for_activations():
    found = diagnosed(quantized(activations="uint2", range="minmax"))
    blame = next(finding for finding in found.findings if "to blame" in finding.text)
    assert "the activations are to blame" in blame.text
    assert blame.advice[0].startswith("ranges of least squared error")


def test_overflow_of_the_machine_is_told_from_the_grids():
    narrow = hwsim.accelerator("edge_16x16", overrides=["datapath.accumulator=int14:wrap"])
    found = diagnosed(quantized(weights="int8"), narrow)
    assert halves(found)["machine"]["sqnr_db"] < halves(found)["both"]["sqnr_db"] - 1
    assert any("the registers of the machine lose" in finding.text for finding in found.findings)


def test_without_labels_noise_decides():
    images = {"image": TEST["image"][:32]}
    found = diagnose(quantized(weights="int8"), MACHINE, images, sweep_images=8)
    assert set(found.halves["metric"]) == {None}
    assert "within tolerance" in found.findings[1].text
    assert list(found.quantizers["alone_sqnr_db"]) == sorted(found.quantizers["alone_sqnr_db"])


def test_a_method_that_moved_the_float_network_is_told():
    reference = prepare(hwsim.load("digits_resnet"))
    weight = reference.tensors[reference.nodes[0].inputs[1]]
    changed = reference.with_changes(tensors=[replace(weight, data=weight.data * -1)])
    graph = quantize(changed, Scheme(), SHOWN)
    found = diagnosed(graph, reference=reference)
    assert "the float network that the method ended with is" in found.findings[0].text
    assert found.findings[0].advice
    kept = diagnosed(quantize(reference, Scheme(), SHOWN), reference=reference)
    assert halves(kept)["as it came"]["sqnr_db"] == np.inf
    assert not kept.findings[0].advice


def test_a_float_network_has_nothing_to_diagnose():
    with pytest.raises(HwsimError, match="diagnose: digits_resnet has no grids; quantize it with calibration images"):
        diagnosed(hwsim.load("digits_resnet"))
