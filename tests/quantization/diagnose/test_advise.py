"""From numbers to sentences: each branch of the flow."""

from dataclasses import replace

import numpy as np
import pytest

from hwsim.hardware.precision import PrecisionPlan
from hwsim.quantization.diagnose.advise import AS_IT_CAME, Measured, findings
from hwsim.quantization.diagnose.bench import Score
from hwsim.quantization.diagnose.channel_ranges import ChannelRanges
from hwsim.quantization.diagnose.quantizers import quantizers_of
from hwsim.quantization.diagnose.used import Used
from hwsim.quantization.quantize import quantize
from hwsim.quantization.scheme import Scheme
from tests.quantization.transforms.graphs import Builder


def score(metric, sqnr_db):
    return Score(metric=metric, sqnr_db=sqnr_db, max_error=0.1)


def measured(
    weights, activations, both, *, machine=None, fine=130.0, high=(1.0, 1.0, 1.0), depthwise=False, came=None, used=None
):
    b = Builder(1)
    x = b.depthwise(b.conv("x")) if depthwise else b.conv("x")
    plan = PrecisionPlan(default={"weight_granularity": "tensor"})
    graph = quantize(b.graph(b.head(x)), Scheme(plan=plan), None)
    scores = {"float": score(1.0, np.inf), "weights": weights, "activations": activations, "both": both}
    scores["machine"] = machine or both
    if came is not None:
        scores[AS_IT_CAME] = came
    worst = quantizers_of(graph)[1]
    ranges = ChannelRanges(
        layer=worst.layer,
        kind="weights",
        low=np.zeros(3),
        high=np.array(high),
        grid_low=None,
        grid_high=None,
        format="int8",
    )
    return Measured(graph=graph, fine=score(1.0, fine), scores=scores, worst=worst, ranges=ranges, used=used or Used())


GOOD = score(1.0, 40.0)


@pytest.mark.parametrize(
    ("weights", "activations", "both", "verdict"),
    [
        (GOOD, GOOD, score(0.995, 35.0), "within tolerance"),
        (score(0.8, 10.0), score(1.0, 30.0), score(0.8, 9.0), "the weights are to blame"),
        (score(1.0, 30.0), score(0.8, 10.0), score(0.8, 9.0), "the activations are to blame"),
        (score(0.9, 12.0), score(0.9, 11.0), score(0.8, 8.0), "both are to blame"),
        (score(0.9, 12.0), score(1.0, 14.0), score(0.8, 8.0), "the weights are to blame"),
        (score(1.0, 30.0), score(1.0, 60.0), score(0.8, 8.0), "both are to blame"),
        (score(None, 30.0), score(None, 25.0), score(None, 21.0), "within tolerance"),
        (score(None, 12.0), score(None, 30.0), score(None, 11.0), "the weights are to blame"),
    ],
)
def test_who_is_to_blame(weights, activations, both, verdict):
    found = findings(measured(weights, activations, both))
    assert verdict in found[1].text
    assert bool(found[1].advice) == (verdict != "within tolerance")
    assert ("quantization-aware training" in " ".join(found[1].advice)) == verdict.startswith("both")


def test_depthwise_layers_are_named_as_the_reason():
    bad = score(0.5, 3.0)
    assert "depthwise channels" in findings(measured(bad, GOOD, bad, depthwise=True))[1].advice[0]
    assert "depthwise" not in findings(measured(bad, GOOD, bad))[1].advice[0]


@pytest.mark.parametrize("granularity", ["tensor", "channel"])
def test_matrices_whose_columns_share_a_scale_are_told_of_their_own(granularity):
    bad, b = score(0.5, 3.0), Builder(1, shape=(1, 6))
    plan = PrecisionPlan(default={"weight_granularity": granularity})
    graph = quantize(b.graph(b.gemm(b.gemm("x", out=5))), Scheme(plan=plan), None)
    advice = findings(replace(measured(bad, GOOD, bad), graph=graph))[1].advice
    assert any("one scale per output channel" in each for each in advice) == (granularity == "tensor")
    assert any("cross-layer equalization" in each for each in advice) == (granularity == "tensor")


def test_a_network_that_differs_on_fine_grids_comes_first():
    found = findings(measured(GOOD, GOOD, GOOD, fine=30.0))
    assert "something else than rounding changes it" in found[0].text
    assert found[0].advice


def test_registers_and_transforms_have_findings_of_their_own():
    found = findings(measured(GOOD, GOOD, GOOD, machine=score(0.2, 1.0), came=score(1.0, 30.0)))
    assert found[0].text == (
        "the float network that the method ended with is 30.0 dB from the one it began with; its metric went from "
        "1.0000 to 1.0000"
    )
    assert found[2].text == "the registers of the machine lose 39.0 dB more than the grids do"
    lost = findings(measured(GOOD, GOOD, GOOD, came=score(1.2, 10.0)))
    assert lost[0].advice


@pytest.mark.parametrize(("high", "count"), [((1.0, 1.0, 1.0), 1), ((1.0, 1.0, 9.0), 2)])
def test_the_worst_tensor_with_uneven_channels_is_to_be_equalized(high, count):
    bad = score(0.5, 3.0)
    last = findings(measured(bad, GOOD, bad, high=high))[-1]
    assert f"their widest channel is {high[2]:.1f} times the median one" in last.text
    assert len(last.advice) == count
    assert last.advice[-1].endswith('[[layer]] match = "n_conv0", weights = ...')
    assert findings(measured(GOOD, GOOD, GOOD, high=high))[-1].advice == ()


def test_a_float_network_that_stayed_is_said_to_have_stayed():
    found = findings(measured(GOOD, GOOD, GOOD, came=score(1.0, np.inf)))
    assert found[0].text == "the method left the float network as it was"
    assert found[0].advice == ()


@pytest.mark.parametrize(
    ("used", "gone"),
    [
        ({"equalized": True}, "equalization"),
        ({"rounding_learned": True}, "AdaRound"),
        ({"bias_corrected": True}, "bias correction"),
        ({"fits_activation_ranges": True}, "--range mse"),
    ],
)
def test_nothing_is_advised_that_was_done(used, gone):
    bad = (score(0.9, 12.0), score(0.9, 11.0), score(0.8, 8.0))

    def advice(used):
        found = findings(measured(*bad, high=(1.0, 1.0, 9.0), used=used))
        return [each for finding in found for each in finding.advice]

    assert any(gone in each for each in advice(Used()))
    assert not any(gone in each for each in advice(Used(**used)))
    assert len(set(advice(Used()))) == len(advice(Used()))


def test_bias_correction_names_its_recipes():
    bad = score(0.5, 3.0)
    assert "bias correction (--recipe bias_correction; without images data_free)" in " ".join(
        findings(measured(bad, GOOD, bad))[1].advice
    )
