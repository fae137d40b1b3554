"""The figure's arrays are the tensor's."""

import numpy as np

from hwsim.execute.float32 import run_float
from hwsim.hardware.precision import PrecisionPlan
from hwsim.quantization.diagnose.channel_ranges import channel_ranges
from hwsim.quantization.diagnose.quantizers import quantizers_of
from hwsim.quantization.quantize import quantize
from hwsim.quantization.scheme import Scheme
from tests.quantization.transforms.graphs import Builder

IMAGES = {"x": np.random.default_rng(0).normal(size=(4, 3, 6, 6)).astype(np.float32)}


def network(granularity):
    b = Builder(1)
    plan = PrecisionPlan(default={"weight_granularity": granularity})
    return quantize(b.graph(b.head(b.depthwise(b.conv("x")))), Scheme(plan=plan), IMAGES)


def ranges_of(graph, layer, kind):
    quantizer = next(each for each in quantizers_of(graph) if (each.layer, each.kind) == (layer, kind))
    return channel_ranges(graph, quantizer, IMAGES)


def test_weights_have_a_range_per_output_channel_and_a_grid_for_all_or_each():
    for granularity in ("tensor", "channel"):
        graph = network(granularity)
        found, data = ranges_of(graph, "n_conv1", "weights"), graph.tensors["w1"].data
        np.testing.assert_allclose(found.low, data.min(axis=(1, 2, 3)))
        np.testing.assert_allclose(found.high, data.max(axis=(1, 2, 3)))
        assert (found.grid_low <= found.low + 1e-6).all()
        assert (found.grid_high >= found.high - 1e-2).all()
        assert (len(set(found.grid_high)) == 1) == (granularity == "tensor")
        spans = np.abs(data).max(axis=(1, 2, 3))
        assert found.imbalance == np.float64(spans.max()) / np.median(spans.astype(np.float64))


def test_activations_have_a_range_per_channel_over_the_images():
    graph = network("tensor")
    found = ranges_of(graph, "n_conv0", "activations")
    values = run_float(graph, IMAGES, keep=["conv0"])["conv0"]
    np.testing.assert_allclose(found.low, values.min(axis=(0, 2, 3)))
    np.testing.assert_allclose(found.high, values.max(axis=(0, 2, 3)))
