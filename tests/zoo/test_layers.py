"""Do the operators of the data pass agree with the ONNX reference?"""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from hwsim.zoo import layers

WINDOW = {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 0, 1]}


def _reference(kind: str, x: np.ndarray, weight: np.ndarray | None = None, **attributes) -> np.ndarray:
    feeds = {"x": x} if weight is None else {"x": x, "w": weight.astype(np.float64)}
    node = helper.make_node(kind, list(feeds), ["y"], **attributes)
    values = [helper.make_tensor_value_info(n, TensorProto.DOUBLE, None) for n in feeds]
    graph = helper.make_graph([node], "g", values, [helper.make_tensor_value_info("y", TensorProto.DOUBLE, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    return ReferenceEvaluator(model).run(None, feeds)[0]


@pytest.fixture
def x():
    return np.random.default_rng(0).standard_normal((2, 6, 7, 8))


@pytest.mark.parametrize("groups", [1, 2, 6])
def test_conv(x, groups):
    weight = np.random.default_rng(1).standard_normal((12, 6 // groups, 3, 2)).astype(np.float32)
    attributes = WINDOW | {"group": groups}
    np.testing.assert_allclose(layers.conv(x, weight, attributes), _reference("Conv", x, weight, **attributes))


def test_linear(x):
    weight = np.random.default_rng(1).standard_normal((5, 336)).astype(np.float32)
    flat = x.reshape(2, -1)
    np.testing.assert_allclose(layers.linear(flat, weight), flat @ weight.T.astype(np.float64))


@pytest.mark.parametrize("kind", ["MaxPool", "AveragePool"])
def test_pool(x, kind):
    np.testing.assert_allclose(layers.pool(x, WINDOW, maximum=kind == "MaxPool"), _reference(kind, x, **WINDOW))


def test_local_response():
    # as many images as channels: onnx.reference (1.23.2) sums squares only for the first `batch` channels
    x = np.random.default_rng(0).standard_normal((6, 6, 7, 8))
    attributes = {"size": 5, "alpha": 0.5, "beta": 0.75, "bias": 2.0}
    np.testing.assert_allclose(layers.local_response(x, attributes), _reference("LRN", x, **attributes), rtol=1e-6)
