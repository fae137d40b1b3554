"""Grids that are found at run time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto

import hwsim
from hwsim.execute.float32 import run_float
from hwsim.graph import Graph, Node, Tensor
from hwsim.interchange.onnx import read_onnx

NODE = ("DynamicQuantizeLinear", ["x"], ["q", "s", "z"])


def product(build, weight, zero_point):
    """x -> DynamicQuantizeLinear -> MatMulInteger -> Cast -> Mul by both scales."""
    constants = {"w": weight, "w_z": zero_point, "w_s": np.float32(0.5)}
    nodes = [
        NODE,
        ("MatMulInteger", ["q", "w", "z", "w_z"], ["m"]),
        ("Cast", ["m"], ["f"], {"to": TensorProto.FLOAT}),
        ("Mul", ["s", "w_s"], ["t"]),
        ("Mul", ["f", "t"], ["y"]),
    ]
    return build(nodes, {"x": ["n", weight.shape[0]]}, constants=constants)


def test_structure(build):
    graph = read_onnx(product(build, np.ones((4, 3), np.int8), np.int8(2)))
    assert [(node.op, node.inputs, node.outputs) for node in graph.nodes] == [
        ("DynamicQuantizeLinear", ("x",), ("q", "s", "z")),
        ("Sub", ("q", "z"), ("m/centred_a",)),
        ("MatMul", ("m/centred_a", "w"), ("m",)),
        ("Mul", ("s", "w_s"), ("t",)),
        ("Mul", ("m", "t"), ("y",)),
    ]
    assert [str(graph.tensors[name].quant.format) for name in ("q", "z", "m/centred_a", "m")] == [
        "uint8", "uint8", "int9", "int32",
    ]  # fmt: skip
    assert graph.tensors["s"].quant is graph.tensors["t"].quant is None
    assert graph.tensors["w"].quant.zero_point == (2,)
    assert graph.notes == ("ranges that are found at run time are those of a whole batch",)


def quantized(x):
    """Return codes, scale and zero point."""
    tensors = {
        "x": Tensor(name="x", shape=x.shape),
        "q": Tensor(name="q", shape=x.shape),
        "s": Tensor(name="s", shape=()),
        "z": Tensor(name="z", shape=()),
    }
    node = Node(name="n", op="DynamicQuantizeLinear", inputs=("x",), outputs=("q", "s", "z"))
    graph = Graph(name="g", nodes=(node,), tensors=tensors, inputs=("x",), outputs=("q", "s", "z"))
    return [run_float(graph, {"x": x})[name].astype(np.float64) for name in "qsz"]


NUMBERS = st.floats(-1e4, 1e4, width=32).map(lambda value: value if abs(value) > 1e-30 else 0.0)


@given(st.lists(NUMBERS, min_size=1, max_size=20))
@settings(deadline=None)
def test_the_range_holds_zero_and_the_codes_are_near(values):
    """Independently in exact arithmetic: the grid covers the values and every code decodes to within half a step."""
    x = np.array([values], np.float32)
    codes, scale, zero = quantized(x)
    assert 0 <= zero <= 255
    assert zero == np.rint(zero)
    assert ((codes >= 0) & (codes <= 255) & (codes == np.rint(codes))).all()
    span = max(x.max(), 0) - min(x.min(), 0)
    assert scale == pytest.approx(span / 255 if span else 1.0, rel=1e-6)
    assert (np.abs((codes - zero) * scale - x) <= scale * 1.01).all()


@pytest.mark.parametrize("value", [0.0, 1e-45, -1e-45])
def test_a_range_without_a_width(value):
    codes, scale, zero = quantized(np.full((1, 3), value, np.float32))
    assert (scale, zero, codes.tolist()) == (1.0, 0.0, [[0.0] * 3])


def test_a_batch_has_its_own_range(build):
    """Images that are simulated together do not share a range: each is an inference of its own."""
    rng = np.random.default_rng(0)
    graph = read_onnx(product(build, rng.integers(-64, 64, (40, 3)).astype(np.int8), np.int8(0)))
    machine = hwsim.accelerator("edge_16x16", overrides=["datapath.requantizer=float32"])
    images = (rng.standard_normal((6, 40)) * np.logspace(0, 3, 6)[:, None]).astype(np.float32)
    together = hwsim.simulate(hwsim.quantize(graph), machine, {"x": images}).outputs["y"]
    alone = [hwsim.simulate(hwsim.quantize(graph), machine, {"x": image[None]}).outputs["y"] for image in images]
    np.testing.assert_array_equal(together, np.concatenate(alone))


def test_products_with_the_quantization_inside(build):
    """com.microsoft.DynamicQuantizeMatMul is the chain above."""
    rng = np.random.default_rng(1)
    weight, bias = rng.integers(-64, 64, (8, 3)).astype(np.int8), rng.standard_normal(3).astype(np.float32)
    constants = {"w": weight, "w_s": np.float32(0.5), "w_z": np.int8(3), "b": bias}
    node = ("com.microsoft.DynamicQuantizeMatMul", ["x", "w", "w_s", "w_z", "b"], ["y"])
    graph = read_onnx(build([node], {"x": [1, 8]}, constants=constants))
    assert [node.op for node in graph.nodes] == ["DynamicQuantizeLinear", "Sub", "MatMul", "Mul", "Mul", "Add"]
    machine = hwsim.accelerator("edge_16x16", overrides=["datapath.requantizer=float32"])
    x = rng.standard_normal((1, 8)).astype(np.float32)
    chain = read_onnx(product(build, weight, np.int8(3)))
    expected = hwsim.simulate(hwsim.quantize(chain), machine, {"x": x}).outputs["y"] + bias
    got = hwsim.simulate(hwsim.quantize(graph), machine, {"x": x}).outputs["y"]
    np.testing.assert_array_equal(got, expected)
