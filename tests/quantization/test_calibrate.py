"""Calibration collects what estimators read, and no more."""

from dataclasses import replace

import numpy as np
import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.hardware import PrecisionPlan
from hwsim.hardware.precision import PrecisionRule
from hwsim.numerics.formats import IntFormat
from hwsim.quantization import calibrate
from hwsim.quantization.calibrate import needs_of, observe
from hwsim.quantization.prepare import prepare
from hwsim.quantization.ranges import estimator, names, needs

GRAPH = prepare(hwsim.load("digits_resnet"))
IMAGES = {name: hwsim.dataset("digits_resnet", "calibration")[name][:30] for name in GRAPH.inputs}


def test_the_plan_says_what_is_needed():
    rules = (
        PrecisionRule(match="block1.*", activation_range="moving_average"),
        PrecisionRule(match="block2.*", range="mse"),
    )
    plan = PrecisionPlan(default={"range": "percentile", "activation_range": "minmax"}, layer=rules)
    assert needs_of(GRAPH, plan) == {"extremes", "moving"}
    assert needs_of(GRAPH, PrecisionPlan()) == {"extremes"}


def test_only_what_is_needed_is_kept():
    seen = observe(GRAPH, IMAGES, {"extremes"})
    assert all(each.histogram is None and each.moving is None and each.channels is None for each in seen.values())
    seen = observe(GRAPH, IMAGES, needs("cross_entropy"))
    assert {name for name, each in seen.items() if each.rows is not None} == set(GRAPH.outputs)


@pytest.mark.parametrize("name", names())
def test_ranges_do_not_depend_on_the_size_of_a_chunk(name, monkeypatch):
    number, spans = IntFormat.parse("uint6"), []
    for elements in (1, 1 << 14, 1 << 21):
        monkeypatch.setattr(calibrate, "chunk_size", lambda graph, elements=elements: max(1, elements // 1024))
        seen = observe(GRAPH, IMAGES, needs(name))
        spans.append([estimator(name)(each, number, False) for each in seen.values()])
    # BLAS may order the sums of a product by the size of the batch
    np.testing.assert_allclose(spans[0], spans[2], rtol=0.03, atol=1e-4)
    np.testing.assert_allclose(spans[1], spans[2], rtol=0.03, atol=1e-4)


@pytest.mark.parametrize("name", names())
def test_every_estimator_quantizes_a_network_well(name):
    plan = PrecisionPlan(default={"range": "minmax", "activation_range": name})
    graph = hwsim.quantize(hwsim.load("digits_resnet"), calibration=IMAGES, plan=plan)
    machine = hwsim.accelerator("edge_16x16")
    test = {key: values[:200] for key, values in hwsim.dataset("digits_resnet", "test").items()}
    assert hwsim.simulate(graph, machine, test).summary["metrics"]["accuracy"] > 0.95


def test_a_value_that_is_not_finite_is_named_with_its_tensor():
    name = GRAPH.node_of["stem.conv"].inputs[1]
    weight = GRAPH.tensors[name]
    broken = GRAPH.with_changes(tensors=[replace(weight, data=np.full_like(weight.data, np.inf))])
    for needed in ({"extremes"}, {"extremes", "histogram"}):
        with pytest.raises(HwsimError, match=r"calibration: tensor 'stem\.relu' is not finite; check the inputs"):
            observe(broken, IMAGES, needed)
    with pytest.raises(HwsimError, match="calibration: tensor 'image' is not finite; check the inputs"):
        observe(GRAPH, {"image": IMAGES["image"] + np.float32(np.inf)}, {"statistics"})


def test_no_image_is_an_error():
    with pytest.raises(HwsimError, match="needs at least one image for its inputs image"):
        observe(GRAPH, {"image": IMAGES["image"][:0]})
