"""What the result says about layers beside their rows."""

from dataclasses import replace

import pytest

import hwsim
from hwsim.interchange.onnx.write.weights import blocked
from tests.mapping.graphs import one

MACHINE = hwsim.accelerator("edge_16x16")
NETWORK = hwsim.load("digits_resnet")
LAYERS = ("block1.conv1", "block1.conv2", "block2.conv1", "block2.conv2")
REASON = (
    "computed in float32 on the vector unit: the scales of its operands, tensor and block(axis=1, size=8), neither leave the "
    "sum over k nor cut it into segments"
)


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, None),
        (1, "layer 'block1.conv1' is"),
        (2, "layers 'block1.conv1', 'block1.conv2' are"),
        (4, "layers 'block1.conv1', 'block1.conv2', 'block2.conv1' and 1 more are"),
    ],
)
def test_products_of_codes_that_leave_the_array_are_named(count, said):
    """A scale of its own at every position of a 3x3 kernel."""
    graph = hwsim.quantize(
        NETWORK,
        weights="int4",
        activations="uint8",
        weight_granularity="group:8",
        calibration=hwsim.dataset("digits_resnet", "calibration"),
    )
    changed = [graph.tensors[graph.node_of[layer].inputs[1]] for layer in LAYERS[:count]]
    graph = graph.with_changes(tensors=({**graph.tensors, **{t.name: blocked(t) for t in changed}}).values())
    result = hwsim.simulate(graph, MACHINE)
    assert len(result.plan.mappings) == 9 - count
    assert result.notes == (() if said is None else (f"{said} {REASON}",))


def test_a_product_of_a_real_operand_is_no_surprise():
    graph = one("MatMul", [(2, 4), (4, 3)], [(2, 3)])
    real = replace(graph.tensors[graph.inputs[0]], quant=None)
    result = hwsim.simulate(graph.with_changes(tensors=({**graph.tensors, real.name: real}).values()), MACHINE)
    assert not result.plan.mappings
    assert result.notes == ()
