"""Channels-last operators give what ONNX's give on transposed tensors."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from hwsim.errors import GraphError
from hwsim.execute.float32 import run_float
from hwsim.interchange.onnx import read_onnx

RNG = np.random.default_rng(13)
LAST = "qonnx.custom_op.channels_last"


def model(op, shape, constants, domain=LAST, **attributes):
    node = helper.make_node(op, ["x", *constants], ["y"], domain=domain, **attributes)
    return helper.make_model(
        helper.make_graph(
            [node],
            "last",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
            [numpy_helper.from_array(value, name) for name, value in constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", 17)] + ([helper.make_opsetid(domain, 1)] if domain else []),
        ir_version=8,
    )


def weight(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def first(x):
    return np.moveaxis(x, -1, 1)


CASES = [
    ("Conv", [2, 6, 5, 3], {"w": weight(4, 3, 2, 3), "b": weight(4)}, {"kernel_shape": [3, 2], "pads": [1, 0, 0, 1], "strides": [2, 1]}),
    ("Conv", [2, 6, 3], {"w": weight(4, 3, 3)}, {"kernel_shape": [3], "pads": [1, 1]}),
    ("MaxPool", [2, 6, 5, 3], {}, {"kernel_shape": [2, 2], "strides": [2, 2]}),
    ("BatchNormalization", [2, 6, 5, 3], {"s": weight(3), "b": weight(3), "m": weight(3), "v": weight(3) ** 2}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("op", "shape", "constants", "attributes"), CASES)
def test_transposed_they_are_those_of_onnx(op, shape, constants, attributes):
    plain = {name: first(value) if name == "w" else value for name, value in constants.items()}
    swapped = [shape[0], shape[-1], *shape[1:-1]]
    x = weight(*shape)
    last = run_float(read_onnx(model(op, shape, constants, **attributes), batch=2), {"x": x})["y"]
    expected = run_float(read_onnx(model(op, swapped, plain, domain="", **attributes), batch=2), {"x": first(x)})["y"]
    assert np.array_equal(first(last), expected)


def test_max_pool_of_finn():
    x = weight(1, 4, 4, 2)
    graph = read_onnx(
        model(
            "MaxPoolNHWC", [1, 4, 4, 2], {}, "finn.custom_op.general", kernel_shape=[2, 2], strides=[2, 2], pads=[0] * 4
        )
    )
    expected = x.reshape(1, 2, 2, 2, 2, 2).max(axis=(2, 4))
    assert np.array_equal(run_float(graph, {"x": x})["y"], expected)


def test_a_flat_input_is_refused():
    with pytest.raises(GraphError, match=r"its input must be \[batch, height, width, channels\]"):
        read_onnx(model("MaxPool", [1, 4], {}, kernel_shape=[2, 2]))
