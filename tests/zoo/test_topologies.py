"""Are the drawn networks valid, reproducible, well scaled and of the size that the index says?"""

from __future__ import annotations

from functools import cache

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from hwsim import zoo
from hwsim.errors import HwsimError
from hwsim.zoo.fill import fill
from hwsim.zoo.legacy import skeleton
from hwsim.zoo.topologies import _light_file

SMALL = ("squeezenet", "shufflenet")
LARGE = tuple(n for n in zoo.names() if not zoo.entry(n).trained and n not in SMALL)
ALL = [*SMALL, *(pytest.param(name, marks=pytest.mark.oracle) for name in LARGE)]


@cache
def _small(name: str) -> onnx.ModelProto:
    return zoo.load_model(name)


def _model(name: str) -> onnx.ModelProto:
    return _small(name) if name in SMALL else zoo.load_model(name)


@pytest.mark.parametrize("name", ALL)
def test_model_is_valid_and_costs_what_the_index_says(name, count):
    model, entry = _model(name), zoo.entry(name)
    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version == 17
    assert count(model) == (entry.macs, entry.parameters)
    dims = model.graph.input[0].type.tensor_type.shape.dim
    assert tuple(d.dim_param or d.dim_value for d in dims) == entry.input_shape
    assert [value.name for value in model.graph.input] == [entry.input_name]
    names = [node.name for node in model.graph.node]
    assert all(names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", SMALL)
def test_equal_seeds_draw_equal_models(name):
    assert zoo.build(name) == _model(name)
    assert zoo.build(name, seed=1) != _model(name)


@pytest.mark.parametrize("name", SMALL)
def test_model_says_that_it_is_not_trained(name):
    metadata = {p.key: p.value for p in _model(name).metadata_props}
    assert metadata["weights"] == zoo.entry(name).warning
    assert "not trained" in metadata["weights"]
    assert metadata["seed"] == "0"


@pytest.mark.parametrize("name", SMALL)
def test_activations_neither_vanish_nor_explode(name):
    graph = skeleton(_light_file(zoo.entry(name).file))
    _, spread = fill(name, graph, zoo.natural_images(2, 3, 224, 224, seed=5), seed=0)
    inner = [spread[node.output[0]] for node in graph.nodes if node.op_type in ("Conv", "BatchNormalization", "Add")]
    assert min(inner) > 0.1
    assert max(inner) < 10


def test_weights_look_trained():
    weights = {t.name: numpy_helper.to_array(t) for t in _model("shufflenet").graph.initializer}
    pointwise = weights["gpu_0/gconv1_7_w_0"]
    flat = pointwise.ravel() / pointwise.std()
    assert float((flat**4).mean()) > 3.5  # a Gaussian has 3
    per_filter = pointwise.reshape(len(pointwise), -1).std(1)
    assert 0.1 < per_filter.std() / per_filter.mean() < 0.5
    gammas = np.concatenate([w for name, w in weights.items() if name.endswith("_bn_s_0")])
    assert (round(float(gammas.mean()), 1), round(float(gammas.std()), 1)) == (1.0, 0.2)


def test_unknown_name():
    with pytest.raises(HwsimError, match=r"no model 'squeezenett'; did you mean 'squeezenet'\?$"):
        zoo.build("squeezenett")


def test_trained_name_is_refused():
    with pytest.raises(HwsimError, match=r"use load_model\('digits_resnet'\)$"):
        zoo.build("digits_resnet")


def test_negative_seed_is_refused():
    with pytest.raises(HwsimError, match=r"seed of squeezenet must be a non-negative integer, not -1$"):
        zoo.build("squeezenet", seed=-1)


def test_unknown_operator_is_named(tmp_path):
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 3, 8, 8]) for n in "xy"]
    graph = helper.make_graph([helper.make_node("Erf", ["x"], ["y"])], "g", values[:1], values[1:])
    onnx.save(helper.make_model(graph), tmp_path / "odd.onnx")
    with pytest.raises(HwsimError, match=r"^odd\.onnx: operator Erf \(writes 'y'\) has no rule"):
        skeleton(tmp_path / "odd.onnx")


@pytest.mark.oracle
@pytest.mark.parametrize("name", [*SMALL, *LARGE])
def test_logits_are_well_scaled_in_onnxruntime(name):
    """The data pass of hwsim.zoo.fill agrees with an executor that we did not write, and so does the scale."""
    ort = pytest.importorskip("onnxruntime")
    model = _logits_model(zoo.build(name))
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    images = zoo.natural_images(4, 3, 224, 224, seed=99)
    logits = session.run(None, {model.graph.input[0].name: images})[0].reshape(4, -1)
    assert np.isfinite(logits).all()
    assert 0.1 < logits.std() < 100
    seen = zoo.natural_images(4, 3, 224, 224, seed=0)  # those of the data pass
    graph = skeleton(_light_file(zoo.entry(name).file))
    _, spread = fill(name, graph, seen, seed=0)
    measured = session.run(None, {model.graph.input[0].name: seen})[0].std()
    assert measured == pytest.approx(spread[model.graph.output[0].name], rel=1e-3)


def _logits_model(model: onnx.ModelProto) -> onnx.ModelProto:
    """Cut a final Softmax off."""
    last = model.graph.node[-1]
    if last.op_type == "Softmax":
        model.graph.output[0].name = last.input[0]
        del model.graph.node[-1]
    return model
