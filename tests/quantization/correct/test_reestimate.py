"""Re-estimated norms: mean and deviation of every normalized channel are those of the float network."""

import numpy as np
import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.hardware import PrecisionPlan
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.quantization.correct import CorrectBias, ReestimateNorms
from hwsim.quantization.correct.reestimate import scaled_by_channel
from hwsim.quantization.correct.walk import layer_by_layer
from hwsim.quantization.prepare import prepare
from hwsim.quantization.quantize import Scheme, quantize
from hwsim.quantization.state import State

GRAPH = prepare(hwsim.load("digits_resnet"))
IMAGES = {name: hwsim.dataset("digits_resnet", "calibration")[name][:64] for name in GRAPH.inputs}
MACHINE = hwsim.accelerator("edge_16x16")


def state(granularity, *, power_of_two=False):
    plan = PrecisionPlan(default={"weights": "int3", "weight_granularity": granularity})
    scheme = Scheme(plan=plan, power_of_two=power_of_two)
    graph = quantize(GRAPH, scheme, IMAGES)
    return State(reference=GRAPH, graph=graph, calibration=IMAGES, scheme=scheme, machine=MACHINE)


def statistics(of):
    found = {}

    def measure(graph, node, wanted, seen):
        found[node.name] = wanted, seen
        return graph

    layer_by_layer(of, "test", measure)
    return found


def test_means_and_deviations_come_back_and_weight_codes_stay():
    start = state("channel")
    after = ReestimateNorms()(start)
    for name, (wanted, seen) in statistics(after).items():
        if "normal" not in GRAPH.node_of[name].attributes:
            continue
        deviation = np.sqrt(wanted.variance)
        alive = (deviation > 1e-3) & (seen.variance > 0)
        np.testing.assert_allclose(np.sqrt(seen.variance[alive]), deviation[alive], rtol=1e-4)
        step = after.graph.tensors[after.graph.node_of[name].inputs[2]].quant.scales()
        assert np.abs(seen.mean - wanted.mean).max() <= 0.5 * step.max() + 1e-4
    for node in GRAPH.nodes:
        if node.op == "Conv":
            before, changed = (each.graph.tensors[node.inputs[1]] for each in (start, after))
            assert (before.encoded() == changed.encoded()).all()
            assert (before.data == changed.data).all()


@pytest.mark.parametrize(("granularity", "power_of_two"), [("tensor", False), ("channel", True)])
def test_without_a_place_for_a_factor_it_is_the_empirical_bias_correction_of_normalized_layers(
    granularity, power_of_two
):
    start = state(granularity, power_of_two=power_of_two)
    moved, corrected = ReestimateNorms()(start).graph, CorrectBias()(start).graph
    for node in GRAPH.nodes:
        if "normal" in node.attributes:
            assert moved.tensors[node.inputs[1]].quant == start.graph.tensors[node.inputs[1]].quant
            codes = [graph.tensors[node.inputs[2]].codes.astype(np.int64) for graph in (moved, corrected)]
            assert np.abs(codes[0] - codes[1]).max() <= 1


def test_a_network_without_normalizations_is_left_alone():
    start = state("channel")
    plain = start.with_(
        graph=start.graph.with_changes(nodes=[node.with_attributes(normal=None) for node in start.graph.nodes])
    )
    after = ReestimateNorms()(plain)
    assert after.notes == ("norm re-estimation: no layer of this network had a normalization; nothing was changed",)


def test_images_are_needed():
    with pytest.raises(HwsimError, match="norm re-estimation: needs calibration images"):
        ReestimateNorms()(state("channel").with_(calibration=None))


@pytest.mark.parametrize(
    ("granularity", "count"),
    [
        (Granularity(axis=0), 4),
        (Granularity(axis=1, block=2), 4 * 3),
        (Granularity.of_runs(1, 6, 4, by=0), 4 * 2),
    ],
)
def test_scales_of_a_channel_are_multiplied_together(granularity, count):
    random = np.random.default_rng(0)
    scales = tuple(random.uniform(0.5, 2, size=count).astype(np.float32).astype(float).tolist())
    grid = QuantParams(format=IntFormat(bits=4), scale=scales, zero_point=(0,) * count, granularity=granularity)
    factor = np.array([0.5, 1.0, 2.0, 4.0])
    found = scaled_by_channel(grid, (4, 6), 0, factor)
    codes = random.integers(-8, 8, size=(4, 6))
    np.testing.assert_allclose(found[0].decode(codes), grid.decode(codes) * factor[:, None], rtol=1e-6)
    np.testing.assert_allclose(found[1], factor, rtol=1e-6)


@pytest.mark.parametrize("granularity", [Granularity(), Granularity(axis=1), Granularity.of_runs(1, 6, 4)])
def test_channels_that_share_scales_cannot_be_rescaled(granularity):
    count = {None: 1, True: 6, False: 2}[None if granularity.axis is None else granularity.groups is None]
    grid = QuantParams(format=IntFormat(bits=4), scale=(1.0,) * count, zero_point=(0,) * count, granularity=granularity)
    assert scaled_by_channel(grid, (4, 6), 0, np.ones(4)) is None
