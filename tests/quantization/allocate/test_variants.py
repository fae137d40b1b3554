"""Networks put together from uniform ones, against networks quantized as a whole."""

import pytest

import hwsim
from hwsim.errors import HwsimError
from hwsim.quantization import quantize
from hwsim.quantization.allocate.knobs import Knob, with_widths
from hwsim.quantization.allocate.variants import Variants
from tests.quantization.allocate.small import GRAPH, SCHEME, SEEN, variants

WIDTHS = {"weights": (2, 4, 8), "activations": (4, 8)}


def mixed(choices):
    return tuple(widths[i % len(widths)] for i, widths in enumerate(choices.bits))


def test_knobs_are_the_layers_whose_width_is_free():
    found = variants().choices(WIDTHS)
    assert [knob.layer for knob in found.knobs if knob.key == "weights"] == [
        "stem.conv", "depthwise.conv", "pointwise.conv", "logits",
    ]  # fmt: skip
    results = [knob.layer for knob in found.knobs if knob.key == "activations"]
    assert results == ["stem.conv", "depthwise.conv", "pointwise.conv", "sum", "pool"]  # the logits are at the boundary


def test_fixed_layers_keep_the_scheme():
    found = variants()
    choices = found.choices(WIDTHS, ("stem*", "logits"))
    assert {knob.layer for knob in choices.knobs} == {"depthwise.conv", "pointwise.conv", "sum", "pool"}
    graph = found.priced(choices.knobs, tuple(widths[0] for widths in choices.bits))
    weight = {node.name: graph.tensors[node.inputs[1]] for node in graph.nodes if len(node.inputs) == 3}
    assert {name: tensor.bits for name, tensor in weight.items()} == {
        "stem.conv": 8, "depthwise.conv": 2, "pointwise.conv": 2, "logits": 8,
    }  # fmt: skip


@pytest.mark.parametrize("seen", [SEEN, None])
def test_priced_network_has_the_grids_of_the_quantized_one(seen):
    found = Variants(GRAPH, SCHEME, seen)
    choices = found.choices(WIDTHS)
    whole = quantize(GRAPH, with_widths(SCHEME, choices.knobs, mixed(choices)), None, seen=seen)
    parts = found.priced(choices.knobs, mixed(choices))
    biases = {node.inputs[2] for node in GRAPH.nodes if len(node.inputs) == 3}
    assert whole.tensors.keys() == parts.tensors.keys()
    for name in whole.tensors.keys() - biases:
        assert parts.tensors[name].quant == whole.tensors[name].quant, name
    assert {parts.tensors[name].bits for name in biases} == {whole.tensors[name].bits for name in biases}


@pytest.mark.parametrize("preset", ["edge_16x16", "bitfusion_like_16x32"])
def test_both_cost_the_same(preset):
    found, machine = variants(), hwsim.accelerator(preset)
    choices = found.choices(WIDTHS)
    graphs = [make(choices.knobs, mixed(choices)) for make in (found.priced, found.quantized)]
    first, second = (hwsim.simulate(graph, machine).summary for graph in graphs)
    assert first == second


def test_refused():
    with pytest.raises(HwsimError, match="fixed: no layer of probe matches 'head'"):
        variants().choices(WIDTHS, ("head",))
    with pytest.raises(HwsimError, match="has no layer whose width is free"):
        variants().choices(WIDTHS, ("*",))
    with pytest.raises(HwsimError, match="has grids already"):
        Variants(quantize(GRAPH, SCHEME, None), SCHEME, None)
    assert Knob("pool", "activations") in variants().choices({"activations": (4,)}).knobs
