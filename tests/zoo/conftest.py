"""Fixtures of the zoo tests."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto

from hwsim.zoo.index import models_folder

Count = Callable[[onnx.ModelProto], tuple[int, int]]


@pytest.fixture(scope="session")
def models() -> Path:
    return models_folder()


@pytest.fixture(scope="session")
def count() -> Count:
    """Count (MACs of Conv and Gemm for one image, elements of float constants) from strictly inferred shapes."""

    def macs_and_parameters(model: onnx.ModelProto) -> tuple[int, int]:
        one = onnx.ModelProto()
        one.CopyFrom(model)
        one.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
        graph = onnx.shape_inference.infer_shapes(one, check_type=True, strict_mode=True, data_prop=True).graph
        shapes = {
            value.name: tuple(d.dim_value for d in value.type.tensor_type.shape.dim)
            for value in [*graph.value_info, *graph.output]
        }
        assert all(all(shape) for shape in shapes.values()), "a shape is not known"
        constants = {tensor.name: tensor for tensor in graph.initializer}
        macs = sum(
            math.prod(shapes[node.output[0]]) * math.prod(constants[node.input[1]].dims[1:])
            for node in graph.node
            if node.op_type in ("Conv", "Gemm")
        )
        floats = (t for t in constants.values() if t.data_type == TensorProto.FLOAT)
        return macs, sum(math.prod(t.dims) for t in floats)

    return macs_and_parameters
