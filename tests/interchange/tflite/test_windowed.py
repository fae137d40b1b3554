"""Convolutions, poolings and resizes in the graph's layout against their definitions in the file's."""

import numpy as np
import pytest

from hwsim.execute.float32 import run_float
from hwsim.interchange.tflite import placed_tensors, read_tflite
from tests.interchange.tflite import cases, reference
from tests.interchange.tflite.builder import DTYPES

SEEDS = range(5)


def run(case, seed):
    """The real-valued case: the draw, its input and its output, both in the file's layout."""
    data, draw = cases.model(case, cases.REAL, seed)
    feeds, placed = cases.feeds(draw), placed_tensors(data)
    arrays = {placed[index].name: placed[index].in_graph_layout(array) for index, array in feeds.items()}
    results = run_float(read_tflite(data), arrays)
    index = next(number for number, row in enumerate(draw.file.tensors) if row["name"] == "y")
    return draw, feeds[draw.file.inputs[0]], placed[index].in_file_layout(results["y"])


def constant(draw, name):
    row = next(row for row in draw.file.tensors if row["name"] == name)
    return np.frombuffer(row["data"], DTYPES[row["kind"]]).reshape(row["shape"])


def fields(draw):
    return draw.file.operators[-1][4]


def window(written):
    return {
        "strides": (written["StrideH"], written["StrideW"]),
        "same": written["Padding"] == 0,
    }


def biased(draw, y):
    has_bias = any(row["name"] == "b" for row in draw.file.tensors)
    return y + constant(draw, "b") if has_bias else y


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("case", [cases.conv, cases.depthwise], ids=lambda case: case.__name__)
def test_convolutions(case, seed):
    draw, x, got = run(case, seed)
    written = fields(draw)
    dilations = (written["DilationHFactor"], written["DilationWFactor"])
    function = reference.conv if case is cases.conv else reference.depthwise
    want = function(x, constant(draw, "w"), dilations=dilations, **window(written))
    want = reference.activated(biased(draw, want), written["FusedActivationFunction"])
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_transpose_conv(seed):
    draw, x, got = run(cases.transpose_conv, seed)
    shape = tuple(constant(draw, "shape")[1:3])
    want = biased(draw, reference.transpose_conv(x, constant(draw, "w"), shape, **window(fields(draw))))
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("case", "function"), [(cases.max_pool, np.max), (cases.average_pool, np.mean)], ids=["max", "average"]
)
def test_pools(case, function, seed):
    draw, x, got = run(case, seed)
    written = fields(draw)
    kernel = (written["FilterHeight"], written["FilterWidth"])
    want = reference.pool(x, function, kernel=kernel, **window(written))
    np.testing.assert_allclose(got, reference.activated(want, written["FusedActivationFunction"]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("seed", range(15))
def test_resize_nearest(seed):
    draw, x, got = run(cases.resize_nearest, seed)
    written = fields(draw)
    aligned, half = written.get("AlignCorners", False), written.get("HalfPixelCenters", False)
    want = reference.nearest(x, constant(draw, "size"), aligned=aligned, half=half)
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("seed", SEEDS)
def test_space_to_depth_and_back(seed):
    draw, x, got = run(cases.space_to_depth, seed)
    np.testing.assert_array_equal(got, reference.space_to_depth(x, fields(draw)["BlockSize"]))
    draw, x, got = run(cases.depth_to_space, seed)
    np.testing.assert_array_equal(reference.space_to_depth(got, fields(draw)["BlockSize"]), x)
