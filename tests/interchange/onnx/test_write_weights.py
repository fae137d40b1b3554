"""Weights in groups and on tables, written as ONNX: what the reference computes from the file is what the integers say."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

import hwsim
from hwsim.errors import GraphError
from hwsim.graph import Tensor
from hwsim.interchange.onnx import read_onnx, write_qdq
from hwsim.interchange.onnx.write.weights import blocked
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import Granularity
from hwsim.numerics.quant_params import QuantParams
from tests.integers import every_tensor

NETWORK = hwsim.load("digits_resnet")
CALIBRATION = {"image": hwsim.dataset("digits_resnet", "calibration")["image"][:16]}
IMAGES = {"image": hwsim.dataset("digits_resnet", "test")["image"][:6]}
MACHINE = hwsim.accelerator("edge_16x16", overrides=["datapath.accumulator=exact", "datapath.requantizer=float32"])
LAYER = "block1.conv1"


def quantized(**stated):
    return hwsim.quantize(NETWORK, calibration=CALIBRATION, **stated)


@pytest.mark.parametrize(
    ("stated", "note"),
    [
        ({"weights": "codebook4"}, "codebook4@8 weights are read from a table by Gather"),
        ({"weights": "ternary", "weight_granularity": "tensor"}, "ternary weights are read"),
        ({"weights": "pot4", "weight_granularity": "group:8"}, "pot4 weights are read"),
        ({"weights": "int4", "weight_granularity": "group:8"}, None),
        ({"weights": "int4", "weight_granularity": "group:10"}, None),
    ],
)
def test_the_file_computes_the_same_integers(stated, note, tmp_path):
    graph = quantized(**stated)
    notes = write_qdq(graph, tmp_path / "out.onnx", opset=21)
    assert bool(notes) == (note is not None)
    assert note is None or notes[0].startswith(note)
    (logits,) = ReferenceEvaluator(onnx.load(tmp_path / "out.onnx")).run(None, IMAGES)
    ours = every_tensor(graph, MACHINE, IMAGES)["logits"]
    codes = graph.tensors["logits"].quant.encode(logits)
    assert np.abs(codes.astype(int) - ours.astype(int)).max() <= 1
    assert (logits.argmax(axis=1) == ours.argmax(axis=1)).all()


@pytest.mark.parametrize("size", [8, 10])
def test_groups_come_back_as_groups_of_the_same_numbers(size, tmp_path):
    """Groups of 10 of 24 channels leave a shorter last block. The file repeats scales at every position of the kernel."""
    graph = quantized(weights="int4", weight_granularity=f"group:{size}")
    write_qdq(graph, tmp_path / "out.onnx")
    again = read_onnx(tmp_path / "out.onnx")
    ours, theirs = (g.tensors[g.node_of[LAYER].inputs[1]] for g in (graph, again))
    assert theirs.quant == ours.quant
    assert theirs.quant.granularity == Granularity.of_runs(1, 24, size, by=0)
    np.testing.assert_array_equal(theirs.encoded(), ours.encoded())


def test_only_runs_of_one_length_are_blocks():
    data = np.arange(8, dtype=np.float32).reshape(2, 4)
    grid = QuantParams(
        format=IntFormat(bits=8),
        scale=(1.0, 0.5),
        zero_point=(0, 0),
        granularity=Granularity(axis=1, groups=(0, 1, 0, 1)),
    )
    tensor = Tensor(name="w", shape=data.shape, data=data, quant=grid)
    with pytest.raises(GraphError, match="'w': its groups along axis 1 are not runs of one length"):
        blocked(tensor)
    runs = replace(tensor, quant=replace(grid, granularity=Granularity.of_runs(1, 4, 2)))
    assert blocked(runs).quant.granularity == Granularity(axis=1, block=2)
    assert blocked(runs).quant.scale == (1.0, 0.5, 1.0, 0.5)
    np.testing.assert_array_equal(blocked(runs).quant.decode(blocked(runs).codes), runs.quant.decode(runs.encoded()))
