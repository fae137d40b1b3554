"""Where channels lie behind operators that move elements."""

import numpy as np
import pytest

from hwsim.errors import GraphError
from hwsim.execute.float32.registry import FLOAT_OPS
from hwsim.graph import Graph, Node, Tensor
from hwsim.quantization.transforms.channels import Channels, channels_of, moved

SHAPE = (2, 3, 4, 5)
MOVES = [
    ("Transpose", {"permutation": (0, 2, 3, 1)}, Channels(3)),
    ("Reshape", {"shape": (2, 60)}, Channels(1, 20)),
    ("Reshape", {"shape": (2, 12, 5)}, Channels(1, 4)),
    ("Reshape", {"shape": (2, 3, 20)}, Channels(1)),
    ("Reshape", {"shape": (6, 20)}, None),
    ("Flatten", {"axis": 1}, Channels(1, 20)),
    ("Flatten", {"axis": 2}, None),
    ("Unsqueeze", {"axes": (1,)}, Channels(2)),
    ("ReduceMean", {"axes": (2, 3), "keepdims": False}, Channels(1)),
    ("ReduceMean", {"axes": (0,), "keepdims": False}, Channels(0)),
    ("ReduceMean", {"axes": (1,), "keepdims": True}, None),
    ("GlobalAveragePool", {}, Channels(1)),
    ("Slice", {"starts": (1,), "ends": (3,), "axes": (2,), "steps": (1,)}, Channels(1)),
    ("Slice", {"starts": (1,), "ends": (3,), "axes": (1,), "steps": (1,)}, None),
    ("Pad", {"pads": ((0, 0), (0, 0), (1, 1), (0, 2)), "mode": "constant", "value": 0.0}, Channels(1)),
    ("Pad", {"pads": ((0, 0), (1, 0), (0, 0), (0, 0)), "mode": "constant", "value": 0.0}, None),
]


@pytest.mark.parametrize(("op", "attributes", "expected"), MOVES)
def test_channels_follow_their_elements(op, attributes, expected):
    node = Node(name="n", op=op, inputs=("x",), outputs=("y",), attributes=attributes)
    x = np.broadcast_to(np.arange(1.0, 4.0, dtype=np.float32)[:, None, None], SHAPE)  # every element is its channel
    y = FLOAT_OPS[op](node, [x])[0]
    tensors = {"x": Tensor(name="x", shape=SHAPE), "y": Tensor(name="y", shape=y.shape)}
    graph = Graph(name="g", nodes=(node,), tensors=tensors, inputs=("x",), outputs=("y",))
    found = moved(graph, node, "x", "y", Channels(1))
    assert found == expected
    if found is None:
        return
    along = np.moveaxis(y, found.axis, 0).reshape(3, -1)
    assert all(set(row) <= {0.0, channel + 1.0} for channel, row in enumerate(along))
    if found.axis:
        assert moved(graph, node, "y", "x", found) == Channels(1)


def test_the_usual_axis():
    tensors = {name: Tensor(name=name, shape=shape) for name, shape in (("x", SHAPE), ("t", (2, 7, 9)))}
    graph = Graph(name="g", nodes=(), tensors=tensors, inputs=("x", "t"), outputs=("x",))
    assert channels_of(graph, "x") == Channels(1)
    assert channels_of(graph, "t") == Channels(2)
    with pytest.raises(GraphError, match="has no channels on axis 0"):
        channels_of(graph, "x", 0)
