import numpy as np
import pytest

from hwsim.execute.float32 import run_float
from hwsim.interchange.onnx import read_onnx

X = np.random.default_rng(1).standard_normal((3, 4)).astype(np.float32)


@pytest.mark.parametrize("trans_a", [0, 1])
@pytest.mark.parametrize("trans_b", [0, 1])
@pytest.mark.parametrize("bias", [None, (5,), (1, 5), (1,), (), (3, 5), (3, 1)])
@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 1.0), (0.5, 2.0)])
def test_gemm(build, weights, trans_a, trans_b, bias, alpha, beta):
    weight = weights(5, 4) if trans_b else weights(4, 5)
    constants = {"w": weight} | ({} if bias is None else {"c": weights(*bias)})
    attributes = {"transA": trans_a, "transB": trans_b, "alpha": alpha, "beta": beta}
    given = np.ascontiguousarray(X.T) if trans_a else X
    model = build([("Gemm", ["x", *constants], ["y"], attributes)], {"x": given.shape}, constants=constants)
    graph = read_onnx(model, batch=given.shape[0])
    assert graph.node_of["Gemm_y"].op == "Gemm"
    assert graph.tensors[graph.node_of["Gemm_y"].inputs[1]].shape == (4, 5)
    expected = alpha * X @ (weight.T if trans_b else weight) + (0 if bias is None else beta * constants["c"])
    np.testing.assert_allclose(run_float(graph, {"x": given})["y"], expected, rtol=1e-5, atol=1e-5)


def test_gemm_of_two_activations(build, weights):
    attributes = {"transB": 1, "alpha": 0.5, "beta": 3.0}
    model = build([("Gemm", ["x", "w", "c"], ["y"], attributes)], {"x": [3, 4], "w": [5, 4], "c": [5]})
    graph = read_onnx(model, batch=3)
    assert [node.op for node in graph.nodes] == ["Transpose", "MatMul", "Mul", "Mul", "Add"]
    w, c = weights(5, 4), weights(5)
    result = run_float(graph, {"x": X, "w": w, "c": c})["y"]
    np.testing.assert_allclose(result, 0.5 * X @ w.T + 3 * c, rtol=1e-5, atol=1e-5)


def test_shared_weight_is_transposed_for_each_reader(build, weights):
    nodes = [("Gemm", ["x", "w"], ["a"], {"transB": 1}), ("Gemm", ["a", "w"], ["y"])]
    graph = read_onnx(build(nodes, {"x": [1, 4]}, constants={"w": weights(5, 4)}))
    assert graph.tensors["w"].shape == (5, 4)
    assert graph.tensors["w.transposed"].shape == (4, 5)


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_float_formats_become_float32(build, dtype):
    from onnx import TensorProto, helper

    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    model = build(
        [("MatMul", ["x", "w"], ["a"]), ("Cast", ["a"], ["y"], {"to": TensorProto.FLOAT})],
        {"x": [1, 4]}, constants={"w": np.ones((4, 2), dtype)}, kinds={"x": kind},
    )  # fmt: skip
    graph = read_onnx(model)
    assert graph.tensors["w"].data.dtype == np.float32
    assert graph.notes == (
        "input 'x' is declared in another float format and is taken as float32",
        f"constant 'w' converted from {np.dtype(dtype).name} to float32",
    )
