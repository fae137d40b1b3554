"""Scales found at run time as plain operators: codes and scales are the definition's, to the bit."""

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

import hwsim
from hwsim.interchange.onnx import write_qdq
from hwsim.interchange.qonnx import write_qonnx
from hwsim.quantization.run_time import found_at_run_time
from tests.integers import every_tensor

NAME = "digits_resnet"
NETWORK = hwsim.load(NAME)
SHOWN = {"image": hwsim.dataset(NAME, "calibration")["image"][:16]}
IMAGES = {"image": hwsim.dataset(NAME, "test")["image"][:4].copy()}
IMAGES["image"][1] = 0
NOTE = "scales found at run time are written as plain operators: 'block1.conv1.quantize'"


def written(opset, path):
    """Return the network with plain weights, and its file."""
    graph = found_at_run_time(hwsim.quantize(NETWORK, weights="int8", activations="uint8", calibration=SHOWN))
    (note,) = write_qdq(graph, path, opset=opset)
    assert note.startswith(NOTE)
    model = onnx.load(path)
    assert model.opset_import[0].version == opset
    return graph, model


@pytest.mark.parametrize(("opset", "inputs"), [(13, 1), (18, 2)])
def test_axes_are_an_operand_from_operator_set_18_on(opset, inputs, tmp_path):
    _, model = written(opset, tmp_path / "q.onnx")
    assert {len(node.input) for node in model.graph.node if node.op_type == "ReduceMax"} == {inputs}


def test_every_scale_and_code(tmp_path):
    graph, model = written(21, tmp_path / "q.onnx")
    finders = [node for node in graph.nodes if node.op == "DynamicQuantize"]
    read = {node.name: node.input[0] for node in model.graph.node if node.op_type == "Abs"}
    shown = [name for node in finders for name in (read[f"{node.name}/size"], *node.outputs)]
    model.graph.ClearField("output")
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in dict.fromkeys(shown))
    values = dict(zip(dict.fromkeys(shown), ReferenceEvaluator(model).run(None, IMAGES), strict=True))
    assert len(finders) == 8
    for node, (x, codes, scale) in zip(finders, np.reshape(shown, (-1, 3)), strict=True):
        number = graph.tensors[node.outputs[0]].quant.format
        largest = np.abs(values[x]).max(axis=tuple(range(1, values[x].ndim)), keepdims=True)
        expected = np.where(largest > 0, largest / np.float32(number.maximum), np.float32(1))
        np.testing.assert_array_equal(values[scale], expected)
        ends = number.minimum, number.maximum
        np.testing.assert_array_equal(values[codes], np.clip(np.rint(values[x] / expected), *ends))


@pytest.mark.parametrize("write", [write_qdq, write_qonnx])
def test_the_recipe_of_groups_has_a_file(write, tmp_path):
    machine = hwsim.accelerator("edge_16x16", overrides=["datapath.segment_scaling=float32"])
    graph = hwsim.quantize(NETWORK, recipe="zeroquant_groups", weights="int4", calibration=SHOWN, accelerator=machine)
    assert write(graph, tmp_path / "q.onnx")[0].startswith(NOTE)
    if write is write_qdq:
        (logits,) = ReferenceEvaluator(onnx.load(tmp_path / "q.onnx")).run(None, IMAGES)
        ours = every_tensor(graph, machine, IMAGES)["logits"]
        np.testing.assert_allclose(logits, ours, atol=0.02 * np.abs(ours).max())
