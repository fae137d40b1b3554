"""Arrays as the file has them: TensorFlow Lite's channels stand last, the graph's second."""

from dataclasses import replace

import numpy as np
import pytest

import hwsim
from hwsim.errors import ExecutionError
from hwsim.graph.layouts import file_shape, in_file_layout, in_graph_layout
from tests.interchange.tflite.builder import File

POOL = {"Padding": 1, "StrideH": 1, "StrideW": 1, "FilterHeight": 2, "FilterWidth": 2}
MACHINE = hwsim.accelerator("edge_16x16")


def pooled(folder, shape, kind="FLOAT32"):
    """A maximum of 2 x 2 windows, as a file."""
    f = File()
    grid = {} if kind == "FLOAT32" else {"scale": [0.5], "zero_point": [3]}
    x = f.input("x", shape, kind, **grid)
    result = f.tensor("y", (shape[0], shape[1] - 1, shape[2] - 1, shape[3]), kind, **grid)
    f.operator("MAX_POOL_2D", [x], [result], "Pool2DOptions", **POOL)
    path = folder / "pool.tflite"
    path.write_bytes(f.build([result]))
    return hwsim.load(path)


def largest(x):
    """The same maximum of an array ``[batch, height, width, channels]``."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (2, 2), axis=(1, 2))
    return windows.max(axis=(-1, -2))


@pytest.mark.parametrize("shape", [(1, 5, 4, 3), (1, 4, 4, 4)])
def test_inputs_and_outputs_stand_as_in_the_file(tmp_path, shape):
    """Also where the shape does not tell: as many channels as rows and columns."""
    graph = pooled(tmp_path, shape, "INT8")
    assert file_shape(graph, "x") == shape
    codes = np.random.default_rng(0).integers(-128, 128, (6, *shape[1:])).astype(np.int8)
    result = hwsim.simulate(graph, MACHINE, {"x": codes})
    np.testing.assert_array_equal(result.outputs["y"], (largest(codes).astype(np.float32) - 3) / 2)
    assert result.summary["sqnr_db"] == np.inf


def test_arrays_in_the_order_of_the_graph_are_taken_too(tmp_path):
    graph = pooled(tmp_path, (1, 5, 4, 3), "INT8")
    codes = np.random.default_rng(1).integers(-128, 128, (2, 5, 4, 3)).astype(np.int8)
    turned = codes.transpose(0, 3, 1, 2)
    expected = hwsim.simulate(graph, MACHINE, {"x": codes}).outputs["y"]
    np.testing.assert_array_equal(hwsim.simulate(graph, MACHINE, {"x": turned}).outputs["y"], expected)


def test_calibration_images_stand_as_in_the_file(tmp_path):
    graph = pooled(tmp_path, (1, 5, 4, 3))
    images = np.random.default_rng(2).standard_normal((7, 5, 4, 3)).astype(np.float32)
    ours, turned = (
        hwsim.quantize(graph, calibration={"x": array})
        for array in (images, np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    )
    assert ours.tensors["x"].quant == turned.tensors["x"].quant
    got = hwsim.simulate(ours, MACHINE, {"x": images}).outputs["y"]
    np.testing.assert_allclose(got, largest(images), atol=0.02)


@pytest.mark.parametrize("order", [(0, 3, 1, 2), (0, 2, 3, 1), (0, 1, 2, 3)])
def test_there_and_back(tmp_path, order):
    graph = pooled(tmp_path, (1, 5, 4, 3)).with_changes()
    object.__setattr__(graph, "file_layouts", {"y": order})
    array = np.arange(2 * 3 * 4 * 3).reshape(2, 3, 4, 3)
    in_file = in_file_layout(graph, {"y": array})["y"]
    np.testing.assert_array_equal(in_file.transpose(order), array)
    assert in_graph_layout(graph, {"z": array})["z"] is array


def test_another_shape_is_refused_with_both_orders(tmp_path):
    graph = pooled(tmp_path, (1, 5, 4, 3), "INT8")
    message = (
        r"input 'x' must have shape \[batch, 5, 4, 3\] \(or \[batch, 3, 5, 4\]\), with any batch, not \[1, 5, 4, 2\]$"
    )
    with pytest.raises(ExecutionError, match=message):
        hwsim.simulate(graph, MACHINE, {"x": np.zeros((1, 5, 4, 2), np.int8)})


def test_channels_that_stand_last_are_recognized():
    """An ONNX file says channels first; the error says how to turn the array."""
    graph = hwsim.quantize(hwsim.load("digits_resnet"), calibration=hwsim.dataset("digits_resnet", "calibration"))
    images = np.zeros((2, 8, 8, 1), np.float32)
    message = r"not \[2, 8, 8, 1\]; its channels stand last: give numpy.transpose\(array, \(0, 3, 1, 2\)\)$"
    with pytest.raises(ExecutionError, match=message):
        hwsim.simulate(graph, MACHINE, {"image": images})


def test_a_reference_takes_and_gives_the_same_order(tmp_path):
    """With the layouts of the file or, as inside a recipe, without them."""
    graph = pooled(tmp_path, (1, 5, 4, 3))
    images = {"x": np.random.default_rng(3).standard_normal((6, 5, 4, 3)).astype(np.float32)}
    ours = hwsim.quantize(graph, calibration=images)
    seen = {}

    def metric(outputs, labels):
        seen[len(seen)] = outputs["y"]
        return 0.0

    own = hwsim.simulate(ours, MACHINE, images, labels=np.zeros(6), metric=metric)
    for reference in (graph, replace(graph, file_layouts={})):
        seen.clear()
        found = hwsim.simulate(ours, MACHINE, images, labels=np.zeros(6), metric=metric, reference=reference)
        assert found.summary["sqnr_db"] == own.summary["sqnr_db"] > 20
        np.testing.assert_array_equal(seen[1], largest(images["x"]))
