"""Whole networks with random weights against ONNX Runtime."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from hwsim.execute.float32 import run_float
from hwsim.interchange.onnx import read_onnx

pytestmark = pytest.mark.oracle
FOLDER = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
NAMES = (
    "bvlc_alexnet",
    "densenet121",
    "inception_v1",
    "inception_v2",
    "resnet50",
    "shufflenet",
    "squeezenet",
    "zfnet512",
)


def with_random_weights(model, rng):
    sizes = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in [node for node in model.graph.node if node.op_type == "ConstantOfShape"]:
        size = sizes[node.input[0]]
        value = rng.standard_normal(size)
        value = value * np.sqrt(2 / np.prod(size[1:])) if len(size) > 1 else np.abs(value) * 0.3 + 0.5
        model.graph.initializer.append(numpy_helper.from_array(value.astype(np.float32), node.output[0]))
        model.graph.node.remove(node)
    model.ir_version = 8
    return model


@pytest.mark.parametrize("name", NAMES)
def test_network(name):
    runtime = pytest.importorskip("onnxruntime")
    rng = np.random.default_rng(0)
    model = with_random_weights(onnx.load(FOLDER / f"light_{name}.onnx"), rng)
    graph = read_onnx(model)
    x = rng.standard_normal(graph.tensors[graph.inputs[0]].shape, np.float32)
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    session = runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {graph.inputs[0]: x})
    results = run_float(graph, {graph.inputs[0]: np.concatenate([x, x[..., ::-1]])})
    np.testing.assert_allclose(results[graph.outputs[0]][:1], expected, rtol=1e-3, atol=1e-5)
