"""Published topologies that ship with onnx: shapes against onnx's own inference, results against its reference."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from hwsim.execute.float32 import run_float
from hwsim.interchange.onnx import read_onnx

FOLDER = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
SLOW = ("bvlc_alexnet", "densenet121", "inception_v1", "inception_v2", "squeezenet", "vgg19", "zfnet512")
NAMES = ["resnet50", "shufflenet", *(pytest.param(name, marks=pytest.mark.oracle) for name in SLOW)]


@pytest.mark.parametrize("name", NAMES)
def test_shapes_are_those_of_onnx(name):
    path = FOLDER / f"light_{name}.onnx"
    done = onnx.shape_inference.infer_shapes(onnx.load(path), strict_mode=True, data_prop=True)
    graph = read_onnx(path)
    compared = 0
    for value in (*done.graph.value_info, *done.graph.output):
        shape = tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
        if value.name in graph.producer_of and all(shape):
            assert graph.tensors[value.name].shape == shape, value.name
            compared += 1
    assert compared > 0.9 * len(graph.nodes)


@pytest.mark.parametrize("name", NAMES)
def test_declared_shapes_are_executed_shapes(name):
    path = FOLDER / f"light_{name}.onnx"
    for batch in (1, 2):
        graph = read_onnx(path, batch=batch)
        assert graph.batch == batch
        seen = {}
        shape = graph.tensors[graph.inputs[0]].shape
        x = (np.arange(np.prod(shape)).reshape(shape) / np.prod(shape)).astype(np.float32)

        def observe(key, value, seen=seen):
            seen[key] = value.shape

        results = run_float(graph, {graph.inputs[0]: x}, observe=observe)
        assert seen == {key: tensor.shape for key, tensor in graph.tensors.items() if not tensor.is_constant}
        if batch == 1:
            expected = onnx.TensorProto.FromString((FOLDER / f"light_{name}_output_0.pb").read_bytes())
            np.testing.assert_allclose(results[graph.outputs[0]], numpy_helper.to_array(expected), rtol=1e-3, atol=1e-6)
