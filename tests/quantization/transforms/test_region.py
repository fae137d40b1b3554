"""How far a change of an edge goes, and why it stops."""

import pytest

from hwsim.quantization.transforms.region import RESULT, region_of
from hwsim.quantization.transforms.rules import Kind, Reach
from tests.quantization.transforms.graphs import Builder


def blocked(graph, edge, kind, **reach):
    region = region_of(graph, edge, kind, reach=Reach(**reach))
    return set(region.blocked_producers) | {f"{tensor}>{node}" for tensor, node in region.blocked_readers}


def test_a_scale_stops_at_weights_on_both_sides():
    b = Builder()
    graph = b.graph(b.head(b.pool(b.same("Relu", b.conv("x")))))
    region = region_of(graph, "conv0", Kind.SCALE)
    assert region.is_free
    assert set(region.tensors) == {"conv0", "relu1", "maxpool2", "globalaveragepool3", "flatten4"}
    assert region.producers == (("n_conv0", "conv0"),)
    assert region.readers == (("n_gemm5", "flatten4"),)


def test_a_shift_stops_at_a_relu_and_at_zero_padding():
    b = Builder()
    graph = b.graph(b.head(b.conv(b.conv("x", clamp=(0.0, None)))))
    assert blocked(graph, "conv0", Kind.SHIFT) == {"conv0", "conv0>n_conv1"}
    assert blocked(graph, "conv0", Kind.SHIFT, past_relu=True) == {"conv0>n_conv1"}
    assert not blocked(graph, "conv0", Kind.SHIFT, past_relu=True, past_padding=True)


def test_a_permutation_passes_what_a_scale_does_not():
    b = Builder()
    graph = b.graph(b.head(b.same("Sigmoid", b.depthwise(b.conv("x", clamp=(0.0, 6.0))))))
    assert blocked(graph, "conv0", Kind.SCALE) == {"conv0"}
    region = region_of(graph, "conv0", Kind.PERMUTE)
    assert region.is_free
    assert "n_conv1" in region.passing


def test_ends_of_the_network_block():
    b = Builder()
    graph = b.graph(b.conv("x"))
    assert blocked(graph, "x", Kind.SCALE) == {"x"}
    assert blocked(graph, "conv0", Kind.SCALE) == {f"conv0>{RESULT}"}
    reasons = region_of(graph, "conv0", Kind.SCALE).reasons
    assert reasons == ("tensor 'conv0' at the result: it is a result of the network",)


def test_a_concatenation_of_channels_blocks_even_with_ties():
    b = Builder()
    y = b.conv("x")
    z = b.add("Concat", (y, b.conv("x")), (1, 8, 6, 6), axis=1)
    graph = b.graph(b.head(z))
    assert blocked(graph, y, Kind.SCALE, ties=True) == {"conv0>n_concat2"}
    assert blocked(graph, z, Kind.SCALE, ties=True) == {z}


@pytest.mark.parametrize("op", ["Sigmoid", "Gelu", "Softmax", "MaxPool"])
def test_what_a_scale_passes(op):
    b = Builder()
    y = b.conv("x")
    extra = {"Softmax": {"axis": 1}, "Gelu": {"approximate": "none"}}.get(op, {})
    z = b.pool(y) if op == "MaxPool" else b.same(op, y, **extra)
    graph = b.graph(b.head(z))
    assert region_of(graph, y, Kind.SCALE).is_free == (op == "MaxPool")
