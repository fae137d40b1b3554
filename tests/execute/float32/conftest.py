"""Cases of onnx's own backend tests, compared with the reader and the float32 executor."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from hwsim.errors import GraphError
from hwsim.execute.float32 import run_float
from hwsim.interchange.onnx import read_onnx
from tests.interchange.onnx.node_cases import node_cases

ONE_OUTPUT = ("LayerNormalization", "MaxPool", "Dropout", "BatchNormalization")  # statistics, indices, masks: not ours


@dataclass
class Outcome:
    """What became of one case: passed, skipped with the reader's reason, or failed with the difference."""

    name: str
    passed: bool = False
    skipped: str = ""
    failed: str = ""


def _first_output_only(model):
    if len(model.graph.node) == 1 and model.graph.node[0].op_type in ONE_OUTPUT:
        model = onnx.ModelProto.FromString(model.SerializeToString())
        del model.graph.output[1:]
    return model


def _input_names(model):
    weights = {tensor.name for tensor in model.graph.initializer}
    return [value.name for value in model.graph.input if value.name not in weights]


def _with_constants(model, arrays):
    """Backend cases pass weights as inputs; a network has them as initializers."""
    copy = onnx.ModelProto.FromString(model.SerializeToString())
    for name, array in list(zip(_input_names(model), arrays, strict=True))[1:]:
        copy.graph.initializer.append(numpy_helper.from_array(np.asarray(array), name))
    return copy


def _compare(name, model, inputs, outputs):
    model = _first_output_only(model)
    reason = ""
    for candidate in (model, _with_constants(model, inputs)):
        try:
            graph = read_onnx(candidate, batch=max(1, np.shape(inputs[0])[0]) if np.ndim(inputs[0]) else 1)
        except GraphError as error:
            reason = str(error)
            continue
        if graph.is_quantized:
            return Outcome(
                name, skipped="its tensors have grids: tests/oracles/test_onnx_nodes.py compares the integers"
            )
        feeds = {key: value for key, value in zip(_input_names(model), inputs, strict=True) if key in graph.inputs}
        results = run_float(graph, feeds)
        for key, expected in zip(graph.outputs, outputs, strict=False):
            if graph.tensors[key].shape != np.shape(expected) or results[key].shape != np.shape(expected):
                return Outcome(name, failed=f"{name}: {key}: {results[key].shape} is not {np.shape(expected)}")
            try:
                np.testing.assert_allclose(results[key], np.asarray(expected, dtype=np.float32), rtol=1e-3, atol=1e-5)
            except AssertionError as error:
                return Outcome(name, failed=f"{name}: {key}: {error}")
        return Outcome(name, passed=True)
    return Outcome(name, skipped=reason)


@pytest.fixture(scope="session")
def node_outcomes():
    """Return for each operator the outcomes of the node cases that consist of it."""
    outcomes = {}
    for case in node_cases():
        operators = {node.op_type for node in case.model.graph.node}
        inputs, expected = case.data_sets[0]
        if len(operators) == 1 and inputs and all(isinstance(value, (np.ndarray, np.generic)) for value in inputs):
            outcomes.setdefault(operators.pop(), []).append(_compare(case.name, case.model, inputs, expected))
    return outcomes


@pytest.fixture(scope="session")
def disk_outcomes():
    """Return the outcomes of the cases on disk, by folder: networks that PyTorch exported for operator set 6."""

    def read(folder, kind):
        files = sorted(folder.glob(f"{kind}_*.pb"), key=lambda path: int(path.stem.split("_")[1]))
        return [numpy_helper.to_array(onnx.TensorProto.FromString(path.read_bytes())) for path in files]

    outcomes = {}
    root = Path(onnx.__file__).parent / "backend" / "test" / "data"
    for suite in ("pytorch-converted", "pytorch-operator"):
        for folder in sorted((root / suite).iterdir()):
            data, model = folder / "test_data_set_0", onnx.load(folder / "model.onnx")
            inputs, expected = read(data, "input"), read(data, "output")
            if all(np.isfinite(np.asarray(value, np.float32)).all() for value in inputs if value.dtype != np.float64):
                outcomes.setdefault(suite, []).append(_disk_case(folder.name, model, inputs, expected))
    return outcomes


def _disk_case(name, model, inputs, expected):
    if any(np.abs(value).max(initial=0) > 3e38 for value in (*inputs, *expected)):
        return Outcome(name, skipped="float64 values beyond float32")
    return _compare(name, model, inputs, expected)
