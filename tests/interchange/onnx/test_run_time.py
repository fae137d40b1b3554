"""Grids that are found at run time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto

import hwsim
from hwsim.errors import GraphError, MappingError
from hwsim.execute.float32 import run_float
from hwsim.graph import Graph, Node, Tensor
from hwsim.interchange.onnx import read_onnx, write_qdq
from hwsim.interchange.qonnx import write_qonnx
from tests.integers import every_tensor

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
        ("Reinterpret", ("q", "z"), ("q/read",)),
        ("MatMul", ("q/read", "w"), ("m",)),
        ("Mul", ("s", "w_s"), ("t",)),
        ("Mul", ("m", "t"), ("y",)),
    ]
    assert [str(graph.tensors[name].quant.format) for name in ("q", "z", "q/read", "m")] == [
        "uint8", "uint8", "uint8", "int32",
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
    assert [node.op for node in graph.nodes] == ["DynamicQuantizeLinear", "Reinterpret", "MatMul", "Mul", "Mul", "Add"]
    machine = hwsim.accelerator("edge_16x16", overrides=["datapath.requantizer=float32"])
    x = rng.standard_normal((1, 8)).astype(np.float32)
    chain = read_onnx(product(build, weight, np.int8(3)))
    expected = hwsim.simulate(hwsim.quantize(chain), machine, {"x": x}).outputs["y"] + bias
    got = hwsim.simulate(hwsim.quantize(graph), machine, {"x": x}).outputs["y"]
    np.testing.assert_array_equal(got, expected)


def dynamic_codes(x):
    codes, _, zero = quantized(x)
    return codes.astype(np.int64), int(zero)


EIGHT_BITS = ("datapath.multiplier_activation_bits=8", "datapath.multiplier_weight_bits=8")


@pytest.mark.parametrize("bias", ["start", "end"])
def test_an_array_of_eight_bits_multiplies_the_codes_themselves(build, bias):
    """The zero point times the weights' column sums is taken off beside the array; no operand grows by a bit."""
    rng = np.random.default_rng(2)
    weight = rng.integers(-128, 128, (40, 3)).astype(np.int8)
    graph = hwsim.quantize(read_onnx(product(build, weight, np.int8(-7))))
    machine = hwsim.accelerator("edge_16x16", overrides=[*EIGHT_BITS, f"datapath.bias={bias}"])
    assert machine.datapath.zero_point == "folded"
    x = (rng.standard_normal((5, 40)) + 1).astype(np.float32)
    products = []
    found = every_tensor(graph, machine, {"x": x}, on_product=lambda layer, product: products.append(product))
    codes, zero = dynamic_codes(x)
    assert zero not in (0, 255)
    np.testing.assert_array_equal(found["m"], (codes - zero) @ (weight.astype(np.int64) + 7))
    np.testing.assert_array_equal(products[0].ifmap[0], codes)
    np.testing.assert_array_equal(products[0].weight[0], weight)


def test_centred_codes_do_not_fit_eight_bits(build):
    graph = hwsim.quantize(read_onnx(product(build, np.ones((8, 3), np.int8), np.int8(0))))
    machine = hwsim.accelerator("edge_16x16", overrides=[*EIGHT_BITS, "datapath.zero_point=subtracted"])
    with pytest.raises(MappingError, match="operands of 9 x 8 bits do not fit"):
        hwsim.simulate(graph, machine)


@pytest.mark.parametrize("zero_point", ["folded", "subtracted"])
@pytest.mark.parametrize("rank", [1, 2])
def test_the_border_of_a_convolution_holds_the_zero_point(build, zero_point, rank):
    rng = np.random.default_rng(rank)
    shape, kernel = ((2, 3, 9), (4, 3, 3)) if rank == 1 else ((2, 3, 6, 5), (4, 3, 3, 3))
    weight = rng.integers(-128, 128, kernel).astype(np.int8)
    node = ("ConvInteger", ["q", "w", "z"], ["y"], {"pads": [1] * 2 * rank})
    graph = hwsim.quantize(read_onnx(build([NODE, node], {"x": list(shape)}, constants={"w": weight}), batch=2))
    x = (rng.standard_normal(shape) - 0.5).astype(np.float32)
    machine = hwsim.accelerator("edge_16x16", overrides=[f"datapath.zero_point={zero_point}"])
    codes, zero = dynamic_codes(x)
    padded = np.pad(codes - zero, [(0, 0), (0, 0), *[(1, 1)] * rank])
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel[2:], axis=tuple(range(2, 2 + rank)))
    axes = "xyzabc"[:rank], "klm"[:rank]
    expected = np.einsum(f"nc{axes[0]}{axes[1]},oc{axes[1]}->no{axes[0]}", windows, weight.astype(np.int64))
    np.testing.assert_array_equal(every_tensor(graph, machine, {"x": x})["y"], expected)


@pytest.mark.parametrize("zero_point", ["folded", "subtracted"])
def test_both_operands_find_their_zero_points(build, zero_point):
    """The product of two activations, stacked: an attention's scores."""
    other = ("DynamicQuantizeLinear", ["v"], ["qv", "sv", "zv"])
    node = ("MatMulInteger", ["q", "qv", "z", "zv"], ["y"])
    shapes = {"x": [1, 2, 5, 4], "v": [1, 2, 4, 3]}
    graph = hwsim.quantize(read_onnx(build([NODE, other, node], shapes)))
    rng = np.random.default_rng(3)
    feeds = {name: (rng.standard_normal(shape) + 0.3).astype(np.float32) for name, shape in shapes.items()}
    machine = hwsim.accelerator("edge_16x16", overrides=[f"datapath.zero_point={zero_point}"])
    (a, zero_a), (b, zero_b) = (dynamic_codes(feeds[name]) for name in "xv")
    np.testing.assert_array_equal(every_tensor(graph, machine, feeds)["y"], (a - zero_a) @ (b - zero_b))


def test_a_zero_point_that_an_input_brings(build):
    nodes = [("MatMulInteger", ["a", "w", "z"], ["y"])]
    kinds = {"a": TensorProto.UINT8, "z": TensorProto.UINT8}
    weight = np.arange(12, dtype=np.int8).reshape(4, 3)
    graph = read_onnx(build(nodes, {"a": [1, 4], "z": [1]}, constants={"w": weight}, kinds=kinds))
    codes, zero = np.array([[0, 3, 255, 9]], np.uint8), np.array([200], np.uint8)
    found = every_tensor(graph, hwsim.accelerator("edge_16x16"), {"a": codes, "z": zero})
    np.testing.assert_array_equal(found["y"], (codes.astype(int) - 200) @ weight.astype(int))


def test_types_of_codes_and_zero_point_must_be_equal(build):
    kinds = {"a": TensorProto.UINT8, "z": TensorProto.INT8}
    model = build(
        [("MatMulInteger", ["a", "w", "z"], ["y"])], {"a": [1, 4], "z": [1]},
        constants={"w": np.ones((4, 3), np.int8)}, kinds=kinds,
    )  # fmt: skip
    with pytest.raises(GraphError, match="'z' holds int8 codes, and is read as uint8 codes; the types must be equal"):
        read_onnx(model)


def test_reading_codes_from_a_zero_point_costs_nothing(build):
    graph = hwsim.quantize(read_onnx(product(build, np.ones((40, 3), np.int8), np.int8(0))))
    rows = {row["op"]: row for row in hwsim.simulate(graph, hwsim.accelerator("edge_16x16")).layers.rows()}
    assert (rows["Reinterpret"]["cycles"], rows["Reinterpret"]["dram_bytes"]) == (0, 0)


@pytest.mark.parametrize("write", [write_qdq, write_qonnx])
def test_a_grid_of_the_run_is_not_written(build, write, tmp_path):
    graph = read_onnx(product(build, np.ones((8, 3), np.int8), np.int8(0)))
    message = "the zero point of tensor 'q/read' is found at run time, which .* does not write; quantize the network statically"
    with pytest.raises(GraphError, match=message):
        write(graph, tmp_path / "q.onnx")
