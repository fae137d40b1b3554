"""Are the committed digit classifiers what the index and the README say?"""

from __future__ import annotations

import importlib
from collections import Counter

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from hwsim import zoo

NAMES = ("digits_resnet", "digits_mobilenet")
OPERATORS = {
    "digits_resnet": {"Conv": 8, "BatchNormalization": 8, "Relu": 7, "Add": 3},
    "digits_mobilenet": {"Conv": 13, "BatchNormalization": 13, "Clip": 10, "Add": 2},
}
HEAD = {"GlobalAveragePool": 1, "Flatten": 1, "Gemm": 1}


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


def test_file_is_small(name, models):
    assert (models / zoo.entry(name).file).stat().st_size <= 1_000_000


def test_model_is_valid(name):
    model = zoo.load_model(name)
    onnx.checker.check_model(model, full_check=True)
    assert (model.ir_version, model.opset_import[0].version, model.producer_name) == (8, 17, "hwsim")


def test_operators_keep_batch_normalization(name):
    found = Counter(node.op_type for node in zoo.load_model(name).graph.node)
    assert found == OPERATORS[name] | HEAD


def test_strided_depthwise_and_residual_are_there():
    convs = [n for n in zoo.load_model("digits_mobilenet").graph.node if n.op_type == "Conv"]
    facts = {n.name: {a.name: onnx.helper.get_attribute_value(a) for a in n.attribute} for n in convs}
    assert facts["block3.depthwise.conv"]["strides"] == [2, 2]
    assert facts["block3.depthwise.conv"]["group"] == 96
    assert {"block2.add", "block4.add"} <= {n.name for n in zoo.load_model("digits_mobilenet").graph.node}


def test_names_are_readable_and_unique(name):
    nodes = [node.name for node in zoo.load_model(name).graph.node]
    assert len(set(nodes)) == len(nodes)
    assert {"stem.conv", "stem.bn", "head.pool", "head.fc"} <= set(nodes)


def test_input_matches_the_index(name):
    entry, graph = zoo.entry(name), zoo.load_model(name).graph
    dims = graph.input[0].type.tensor_type.shape.dim
    assert graph.input[0].name == entry.input_name == "image"
    assert tuple(d.dim_param or d.dim_value for d in dims) == entry.input_shape == ("batch", 1, 8, 8)
    assert [value.name for value in graph.output] == ["logits"]


def test_cost_matches_the_index(name, count):
    entry = zoo.entry(name)
    assert count(zoo.load_model(name)) == (entry.macs, entry.parameters)


def test_accuracy(name):
    data = zoo.dataset(name, "test")
    logits = ReferenceEvaluator(zoo.load_model(name)).run(None, {"image": data["image"]})[0]
    accuracy = float((logits.argmax(1) == data["labels"]).mean())
    assert accuracy >= 0.985
    assert accuracy == pytest.approx(zoo.entry(name).float_accuracy, abs=1e-6)


def test_metadata(name):
    metadata = {p.key: p.value for p in zoo.load_model(name).metadata_props}
    assert metadata["training_script"] == "models/train_digits.py"
    assert {"producer", "seed", "split_seed", "data"} <= set(metadata)
    assert float(metadata["float_test_accuracy"]) == zoo.entry(name).float_accuracy


@pytest.mark.parametrize(("role", "images"), [("test", 540), ("calibration", 128)])
def test_data_files(role, images):
    data = zoo.dataset("digits_resnet", role)
    assert sorted(data) == ["image", "labels"]
    assert (data["image"].shape, data["image"].dtype) == ((images, 1, 8, 8), np.float32)
    assert (data["labels"].shape, data["labels"].dtype) == ((images,), np.int64)
    assert set((data["image"] * 16).ravel()) <= set(range(17))
    share = np.bincount(data["labels"], minlength=10) / images
    assert np.abs(share - 0.1).max() < 0.01  # stratified


def test_test_and_calibration_are_disjoint():
    parts = [zoo.dataset("digits_resnet", role)["image"].reshape(-1, 64) for role in ("test", "calibration")]
    everything = np.concatenate(parts)
    assert len(np.unique(everything, axis=0)) == len(everything) == 668


def test_split_is_the_committed_one_and_disjoint(models, monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.syspath_prepend(str(models))
    parts = importlib.import_module("digits_data").split()
    index = np.concatenate([part.index for part in parts.values()])
    assert sorted(index.tolist()) == list(range(1797))
    for role in ("test", "calibration"):
        data = zoo.dataset("digits_resnet", role)
        np.testing.assert_array_equal(parts[role].image, data["image"])
        np.testing.assert_array_equal(parts[role].labels, data["labels"])


@pytest.mark.oracle
def test_accuracy_in_onnxruntime(name):
    ort = pytest.importorskip("onnxruntime")
    data = zoo.dataset(name, "test")
    session = ort.InferenceSession(zoo.load_model(name).SerializeToString(), providers=["CPUExecutionProvider"])
    logits = session.run(None, {"image": data["image"]})[0]
    assert float((logits.argmax(1) == data["labels"]).mean()) == pytest.approx(zoo.entry(name).float_accuracy, abs=1e-6)
