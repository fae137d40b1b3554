"""MultiThreshold and Trunc: integers without a multiplier."""

import numpy as np
import pytest

from hwsim.errors import GraphError
from hwsim.interchange.onnx import read_onnx
from hwsim.interchange.qonnx.multithreshold import level_grid
from hwsim.quantization import prepare
from tests.integers import every_tensor
from tests.interchange.qonnx.reference import build, reference
from tests.interchange.qonnx.test_quantizers import MACHINE, real

RNG = np.random.default_rng(12)


def finn_layer(shape, layout, thresholds, **attributes):
    """Integers times integers, and thresholds on the sums: what FINN makes of a layer."""
    quant = {"signed": 1, "narrow": 0}
    nodes = [
        ("Quant", ["x", "one", "zero", "b8"], ["xq"], quant),
        ("Quant", ["w", "one", "zero", "b4"], ["wq"], quant),
        ("MatMul", ["xq", "wq"], ["a"]),
        ("MultiThreshold", ["a", "t"], ["y"], {"data_layout": layout, **attributes}),
    ]
    constants = {"w": RNG.integers(-8, 8, (shape[-1], 5)), "t": thresholds, "one": 1, "zero": 0, "b8": 8, "b4": 4}
    return build(nodes, {"x": shape}, constants)


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ({"out_dtype": "UINT4"}, "uint4"),
        ({"out_dtype": "INT4", "out_bias": -8.0}, "int4"),
        ({"out_dtype": "INT8", "out_bias": -8.0, "out_scale": 0.5}, "int8"),
        ({"out_dtype": "FLOAT32", "out_bias": -0.3, "out_scale": 0.1}, None),
    ],
)
def test_thresholds_on_accumulators(attributes, text):
    thresholds = np.sort(RNG.integers(-900, 900, (5, 15)), axis=1)
    model = finn_layer([6, 24], "NC", thresholds, **attributes)
    graph = read_onnx(model, batch=6)
    ready = prepare(graph)
    assert str(ready.tensors["a"].quant.format) == "int32"
    grid = graph.tensors["y"].quant
    assert (grid and str(grid.format)) == text
    x = RNG.integers(-128, 128, (6, 24)).astype(np.float32)
    expected = reference(model, {"x": x})["y"]
    for each in (graph, ready):
        assert np.array_equal(real(each, every_tensor(each, MACHINE, {"x": x})), expected)


@pytest.mark.parametrize(
    ("layout", "shape"), [("NHWC", [2, 3, 3, 5]), ("NCHW", [2, 5, 3, 4]), ("", [2, 4, 5]), ("NC", [2, 5])]
)
@pytest.mark.parametrize("rows", [1, 5])
def test_the_layout_tells_the_channels(layout, shape, rows):
    attributes = {"data_layout": layout, "out_dtype": "BIPOLAR", "out_scale": 2.0, "out_bias": -1.0}
    model = build([("MultiThreshold", ["x", "t"], ["y"], attributes)], {"x": shape}, {"t": RNG.normal(size=(rows, 1))})
    graph = read_onnx(model, batch=2)
    assert str(graph.tensors["y"].quant.format) == "bipolar"
    x = RNG.normal(size=shape).astype(np.float32)
    assert np.array_equal(real(graph, every_tensor(graph, MACHINE, {"x": x})), reference(model, {"x": x})["y"])


def test_levels_that_no_grid_holds_stay_real():
    assert level_grid(3, 0.1, 0.05, "FLOAT32") is None
    assert level_grid(3, -1.0, 0.0, "INT4") is None
    assert str(level_grid(300, 1.0, 0.0, "UINT4").format) == "uint9"
    assert str(level_grid(3, 1.0, -2.0, "").format) == "int2"


def test_thresholds_of_another_shape_are_refused():
    for thresholds, message in (
        (np.zeros(4), r"its thresholds must be \[channels, count\], not \[4\]"),
        (np.zeros((3, 4)), "thresholds of shape .* do not fit axis 1"),
    ):
        model = build([("MultiThreshold", ["x", "t"], ["y"], {"out_dtype": "UINT4"})], {"x": [1, 5]}, {"t": thresholds})
        with pytest.raises(GraphError, match=message):
            read_onnx(model)


@pytest.mark.parametrize("mode", ["FLOOR", "ROUND", "CEIL", "HALF_UP", "DOWN"])
@pytest.mark.parametrize("second", [False, True])
def test_trunc_shifts_an_average(mode, second):
    """Sums of unsigned integers, as Brevitas exports an average pool."""
    quant = ("Quant", ["x", "s", "z", "b4"], ["q"], {"signed": 0, "narrow": 0})
    pool = ("AveragePool", ["q"], ["p"], {"kernel_shape": [4, 4], "strides": [4, 4]})
    scaled = ("Mul", ["p", "count"], ["m"])
    operands, attributes = ["m", "s", "z", "b8", "b4"], {"rounding_mode": mode}
    if second:
        operands, attributes = ["m", "s", "z", "b8", "coarse", "b4"], {**attributes, "signed": 0, "narrow": 0}
    constants = {"s": 0.3, "coarse": np.float32(0.3) * 16, "z": 0, "b4": 4, "b8": 8, "count": 16}
    model = build([quant, pool, scaled, ("Trunc", operands, ["y"], attributes)], {"x": [2, 3, 8, 8]}, constants)
    graph = read_onnx(model, batch=2)
    grid = graph.tensors["y"].quant
    wider = mode in ("ROUND", "CEIL", "HALF_UP") and not second
    assert str(grid.format) == ("uint5" if wider else "uint4")
    assert grid.scale == (np.float32(0.3) * np.float32(16 if second else 1),)
    x = RNG.uniform(0, 5, (2, 3, 8, 8)).astype(np.float32)
    expected = reference(model, {"x": x})["y"]
    for each in (graph, prepare(graph)):
        assert np.array_equal(real(each, every_tensor(each, MACHINE, {"x": x})), expected)


def test_trunc_of_unknown_sign_has_room_for_either():
    constants = {"s": 0.5, "z": 0, "i": 8, "o": 4}
    graph = read_onnx(
        build([("Trunc", ["x", *constants], ["y"], {"rounding_mode": "FLOOR"})], {"x": [1, 4]}, constants)
    )
    assert str(graph.tensors["y"].quant.format) == "int5"
    assert graph.notes == (
        "node 'Trunc_y' (Trunc) does not say whether its codes are signed: one more bit holds either",
    )
    x = np.float32([[-64, -0.5, 0.5, 127.5]])
    assert real(graph, every_tensor(graph, MACHINE, {"x": x})).tolist() == [[-4, -0.5, 0, 7.5]]


def test_trunc_to_a_finer_scale_is_refused():
    constants = {"s": 0.5, "z": 0, "i": 8, "p": 0.25, "o": 4}
    model = build([("Trunc", ["x", *constants], ["y"], {"rounding_mode": "FLOOR"})], {"x": [1, 4]}, constants)
    with pytest.raises(GraphError, match=r"its output scale 0\.25 is finer than its scale 0\.5"):
        read_onnx(model)
