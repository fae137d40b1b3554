"""A quantized network written and read again: the same tensors with the same codes on the same machine."""

from collections import Counter

import numpy as np
import pytest

import hwsim
from hwsim.execute.integer import Layer, run_integer
from hwsim.interchange.onnx import write_qdq
from hwsim.interchange.qonnx import write_qonnx
from hwsim.schedule import schedule

MACHINE = hwsim.accelerator("edge_16x16")


def run(graph, inputs):
    mappings = schedule(graph, MACHINE)
    layers = {node.name: Layer.of(graph, node, MACHINE, mappings.get(node.name)) for node in graph.nodes}
    found = {}
    run_integer(graph, layers, inputs, observe=found.__setitem__)
    return found


@pytest.mark.parametrize("write", [write_qdq, write_qonnx])
@pytest.mark.parametrize(
    ("network", "weights", "activations", "granularity"),
    [("digits_resnet", "int4", "uint4", "tensor"), ("digits_mobilenet", "int5n", "uint6", "channel")],
)
def test_there_and_back(network, weights, activations, granularity, write, tmp_path):
    graph, shown = hwsim.load(network), hwsim.dataset(network, "calibration")
    inputs = {name: hwsim.dataset(network, "test")[name][:5] for name in graph.inputs}
    made = hwsim.quantize(
        graph, weights=weights, activations=activations, weight_granularity=granularity, calibration=shown
    )
    write(made, tmp_path / "q.onnx")
    back = hwsim.quantize(hwsim.load(tmp_path / "q.onnx"))
    assert [node.name for node in back.nodes] == [node.name for node in made.nodes]
    assert Counter(node.op for node in back.nodes) == Counter(node.op for node in made.nodes)
    expected, found = run(made, inputs), run(back, inputs)
    assert set(expected) == set(found)
    for name, codes in expected.items():
        assert np.array_equal(codes, found[name]), name
