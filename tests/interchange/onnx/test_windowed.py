"""Convolution and pooling: explicit pads, two dimensions, output sizes by the operator's own rule."""

import numpy as np
import onnx
import pytest

from hwsim.interchange.onnx import read_onnx


def conv(build, weights, shape, weight, **attributes):
    model = build([("Conv", ["x", "w"], ["y"], attributes)], {"x": shape}, constants={"w": weights(*weight)})
    return model, read_onnx(model)


def inferred(model, name):
    done = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    (value,) = (value for value in done.graph.output if value.name == name)
    return tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)


def test_defaults_become_explicit(build, weights):
    _, graph = conv(build, weights, [1, 2, 8, 8], (4, 2, 3, 3))
    assert dict(graph.node_of["Conv_y"].attributes) == {
        "kernel": (3, 3), "strides": (1, 1), "pads": (0, 0, 0, 0), "dilations": (1, 1), "groups": 1,
    }  # fmt: skip


@pytest.mark.parametrize(("mode", "size", "stride", "dilation", "pads"), [
    ("SAME_UPPER", 8, 1, 1, (1, 1, 1, 1)), ("SAME_UPPER", 8, 2, 1, (0, 0, 1, 1)), ("SAME_LOWER", 8, 2, 1, (1, 1, 0, 0)),
    ("SAME_UPPER", 7, 2, 1, (1, 1, 1, 1)), ("SAME_UPPER", 8, 1, 2, (2, 2, 2, 2)), ("VALID", 8, 2, 1, (0, 0, 0, 0)),
    ("SAME_UPPER", 8, 4, 1, (0, 0, 0, 0)),
])  # fmt: skip
def test_auto_pad(build, weights, mode, size, stride, dilation, pads):
    model, graph = conv(
        build, weights, [1, 1, size, size], (1, 1, 3, 3),
        auto_pad=mode, strides=[stride] * 2, dilations=[dilation] * 2,
    )  # fmt: skip
    assert graph.nodes[0].attributes["pads"] == pads
    if dilation == 1:
        assert graph.tensors["y"].shape == inferred(model, "y")


def test_one_dimension_is_lifted(build, weights):
    model, graph = conv(build, weights, [1, 2, 9], (4, 1, 3), group=2, strides=[2], pads=[1, 0], dilations=[2])
    assert [(node.name, node.op) for node in graph.nodes] == [
        ("Conv_y/unsqueeze", "Unsqueeze"), ("Conv_y", "Conv"), ("Conv_y/squeeze", "Squeeze"),
    ]  # fmt: skip
    assert dict(graph.nodes[1].attributes) == {
        "kernel": (1, 3), "strides": (1, 2), "pads": (0, 1, 0, 0), "dilations": (1, 2), "groups": 2,
    }  # fmt: skip
    assert graph.tensors["w.lifted"].shape == (4, 1, 1, 3)
    assert graph.tensors["y"].shape == inferred(model, "y") == (1, 4, 3)


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize("ceil_mode", [0, 1])
@pytest.mark.parametrize("size", range(4, 13))
@pytest.mark.parametrize(
    ("kernel", "stride", "pads"), [(3, 2, [0, 0, 0, 0]), (3, 2, [1, 1, 1, 1]), (2, 3, [1, 0, 1, 1])]
)
def test_pool_sizes(build, op, ceil_mode, size, kernel, stride, pads):
    """Compared in operator set 22: for older ones onnx infers windows that start behind the input, and computes none."""
    attributes = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": pads, "ceil_mode": ceil_mode}
    model = build([(op, ["x"], ["y"], attributes)], {"x": [1, 2, size, size]}, opset=22, ir_version=10)
    assert read_onnx(model).tensors["y"].shape == inferred(model, "y")


def test_conv_transpose_output_shape(build, weights):
    attributes = {"strides": [3, 2], "output_shape": [10, 8], "auto_pad": "SAME_UPPER"}
    node = ("ConvTranspose", ["x", "w"], ["y"], attributes)
    graph = read_onnx(build([node], {"x": [1, 1, 3, 3]}, constants={"w": weights(1, 2, 3, 3)}))
    assert graph.tensors["y"].shape == (1, 2, 10, 8)
    assert graph.nodes[0].attributes["output_padding"] == (1, 1)


def test_pool_attributes(build):
    attributes = {"kernel_shape": [2], "count_include_pad": 1}
    graph = read_onnx(build([("AveragePool", ["x"], ["y"], attributes)], {"x": [1, 2, 8]}))
    assert dict(graph.node_of["AveragePool_y"].attributes) == {
        "kernel": (1, 2), "strides": (1, 1), "pads": (0, 0, 0, 0), "dilations": (1, 1), "ceil_mode": False,
        "count_include_pad": True,
    }  # fmt: skip


@pytest.mark.parametrize(("scales", "mode"), [((2.0, 2.0), "floor"), ((0.5, 0.5), "ceil")])
def test_upsample_becomes_resize(build, scales, mode):
    constants = {"s": np.array([1, 1, *scales], np.float32)}
    graph = read_onnx(build([("Upsample", ["x", "s"], ["y"])], {"x": [1, 2, 4, 6]}, constants=constants, opset=9))
    assert dict(graph.nodes[0].attributes) == {
        "mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": mode, "scales": scales,
        "output_size": (int(4 * scales[0]), int(6 * scales[1])),
    }  # fmt: skip
