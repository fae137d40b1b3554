"""A network that is read at one batch computes at every batch."""

import numpy as np
import pytest

from hwsim.execute.float32 import run_float
from hwsim.interchange.onnx import read_onnx

HEADS, STEPS, WIDTH = 2, 3, 8


def attention(batch, steps_first):
    """Self-attention as exporters write it: the batch is multiplied into Reshape targets."""
    depth, rows = WIDTH // HEADS, batch * HEADS
    if steps_first:  # [steps, batch, width], heads merged into the batch
        nodes = [
            ("Transpose", ["x"], ["t"], {"perm": [1, 0, 2]}), ("Reshape", ["t", "split"], ["h"]),
            ("Transpose", ["h"], ["q"], {"perm": [1, 0, 2]}), ("Transpose", ["q"], ["k"], {"perm": [0, 2, 1]}),
            ("MatMul", ["q", "k"], ["s"]), ("Softmax", ["s"], ["p"], {"axis": -1}), ("MatMul", ["p", "q"], ["o"]),
            ("Transpose", ["o"], ["u"], {"perm": [1, 0, 2]}), ("Reshape", ["u", "flat"], ["f"]),
            ("Gemm", ["f", "w"], ["g"]), ("Reshape", ["g", "join"], ["j"]),
            ("Transpose", ["j"], ["y"], {"perm": [1, 0, 2]}),
        ]  # fmt: skip
        targets = {"split": [STEPS, rows, depth], "flat": [STEPS * batch, WIDTH], "join": [STEPS, batch, WIDTH]}
    else:
        nodes = [
            ("Reshape", ["x", "split"], ["h"]), ("Transpose", ["h"], ["h2"], {"perm": [0, 2, 1, 3]}),
            ("Reshape", ["h2", "merge"], ["q"]), ("Transpose", ["q"], ["k"], {"perm": [0, 2, 1]}),
            ("MatMul", ["q", "k"], ["s"]), ("Softmax", ["s"], ["p"], {"axis": -1}), ("MatMul", ["p", "q"], ["o"]),
            ("Reshape", ["o", "part"], ["o4"]), ("Transpose", ["o4"], ["u"], {"perm": [0, 2, 1, 3]}),
            ("Reshape", ["u", "join"], ["j"]), ("MatMul", ["j", "w"], ["y"]),
        ]  # fmt: skip
        targets = {
            "split": [batch, STEPS, HEADS, depth], "merge": [rows, STEPS, depth], "part": [batch, HEADS, -1, depth],
            "join": [batch, STEPS, WIDTH],
        }  # fmt: skip
    return nodes, {name: np.array(value) for name, value in targets.items()}


def expected(x, w):
    heads = x.reshape(len(x), STEPS, HEADS, -1).transpose(0, 2, 1, 3).astype(np.float64)
    scores = np.exp(heads @ heads.swapaxes(-1, -2))
    mixed = scores / scores.sum(-1, keepdims=True) @ heads
    return mixed.transpose(0, 2, 1, 3).reshape(x.shape) @ w


@pytest.mark.parametrize(("written", "steps_first"), [(1, False), (2, False), (2, True), (5, True)])
@pytest.mark.parametrize("batch", [1, 2, 3])
@pytest.mark.parametrize("executed", [1, 4])
def test_attention(build, weights, written, steps_first, batch, executed):
    nodes, constants = attention(written, steps_first)
    w = weights(WIDTH, WIDTH)
    model = build(nodes, {"x": [written, STEPS, WIDTH]}, constants={**constants, "w": w}, opset=13)
    graph = read_onnx(model, batch=batch)
    assert graph.notes == ()
    assert graph.tensors["y"].shape == (batch, STEPS, WIDTH)
    x = weights(executed, STEPS, WIDTH)
    np.testing.assert_allclose(run_float(graph, {"x": x})["y"], expected(x, w), rtol=1e-4, atol=1e-5)


def test_class_token_is_repeated_over_the_batch(build, weights):
    nodes = [
        ("Shape", ["x"], ["s"], {"start": 0, "end": 1}), ("Concat", ["s", "rest"], ["t"], {"axis": 0}),
        ("Expand", ["token", "t"], ["tokens"]), ("Concat", ["tokens", "x"], ["y"], {"axis": 1}),
    ]  # fmt: skip
    constants = {"token": weights(1, 1, 4), "rest": np.array([1, 4])}
    graph = read_onnx(build(nodes, {"x": ["n", 3, 4]}, constants=constants), batch=2)
    assert graph.tensors["y"].shape == (2, 4, 4)
    y = run_float(graph, {"x": weights(5, 3, 4)})["y"]
    assert y.shape == (5, 4, 4)
    assert (y[:, :1] == constants["token"]).all()


def test_a_network_for_one_batch_says_so(build):
    """Reshaping the batch away cannot hold for another one."""
    nodes = [("Reshape", ["x", "t"], ["a"]), ("Add", ["a", "c"], ["y"])]
    constants = {"t": np.array([8]), "c": np.ones(8, np.float32)}
    graph = read_onnx(build(nodes, {"x": ["n", 4]}, constants=constants), batch=2)
    assert graph.notes == ("node 'Add_y' holds only for a batch of 2: execute the network with that batch",)
