"""Operators that only move elements take codes of any dtype."""

import numpy as np
import pytest

from hwsim.execute.float32 import FLOAT_OPS
from hwsim.execute.float32.movement import pad
from hwsim.graph import OPS, Node, Work

X = np.arange(2 * 4 * 2 * 3).reshape(2, 4, 2, 3)
RESIZE = {"coordinate_transformation_mode": "asymmetric", "scales": (2.0, 2.0), "output_size": (4, 6)}
CASES = {
    "Reshape": ({"shape": (0, -1, 3)}, X.reshape(2, 8, 3)),
    "Flatten": ({"axis": 1}, X.reshape(2, 24)),
    "Squeeze": ({"axes": ()}, X),
    "Unsqueeze": ({"axes": (0, 5)}, X[None, ..., None]),
    "Transpose": ({"permutation": (0, 2, 3, 1)}, X.transpose(0, 2, 3, 1)),
    "Slice": ({"starts": (3,), "ends": (-5,), "axes": (1,), "steps": (-1,)}, X[:, ::-1]),
    "Split": ({"axis": 1, "sizes": (1, 3)}, X[:, :1]),
    "Gather": ({"axis": 1}, X[:, [2, 0]]),
    "DepthToSpace": ({"blocksize": 2, "mode": "CRD"}, None),
    "Identity": ({}, X),
    "Pad": ({"pads": ((0, 0), (0, 0), (1, 0), (0, 2)), "mode": "edge", "value": 0.0},
            np.pad(X, ((0, 0), (0, 0), (1, 0), (0, 2)), mode="edge")),
    "Concat": ({"axis": 2}, np.concatenate([X, X], axis=2)),
    "Resize": ({**RESIZE, "mode": "nearest", "nearest_mode": "floor"}, X.repeat(2, axis=2).repeat(2, axis=3)),
}  # fmt: skip


def test_every_move_has_a_case():
    moves = {name for name, spec in OPS.items() if spec.work is Work.MOVE}
    assert moves - {"Reinterpret"} <= set(CASES)  # reads its codes on another grid, see test_mixed.py


@pytest.mark.parametrize("op", CASES)
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.float32])
def test_codes_pass_unchanged(op, dtype):
    attributes, expected = CASES[op]
    node = Node(name="n", op=op, inputs=("x",), outputs=("y",), attributes=attributes)
    second = {"Gather": [np.array([2, 0])], "Concat": [X.astype(dtype)]}.get(op, [])
    y = FLOAT_OPS[op](node, [X.astype(dtype), *second])[0]
    assert y.dtype == dtype
    if expected is None:
        assert np.array_equal(np.sort(y.reshape(-1)), X.reshape(-1).astype(dtype))
    else:
        assert np.array_equal(y, expected.astype(dtype))


def test_pad_fills_with_a_code():
    attributes = {"pads": ((0, 0), (1, 0)), "mode": "constant", "value": 0.0}
    node = Node(name="n", op="Pad", inputs=("x",), outputs=("y",), attributes=attributes)
    assert pad(node, np.array([[3]], np.int8), -128).tolist() == [[-128, 3]]


def test_one_constant_row_is_repeated():
    node = Node(name="n", op="Concat", inputs=("c", "x"), outputs=("y",), attributes={"axis": 1})
    assert FLOAT_OPS["Concat"](node, [np.ones((1, 1)), np.zeros((3, 2))])[0].tolist() == [[1, 0, 0]] * 3
