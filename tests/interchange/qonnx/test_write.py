"""Quantized graphs written as QONNX: what the definitions of its operators compute from the file is what the integers say."""

import numpy as np
import onnx
import pytest

import hwsim
from hwsim.errors import GraphError, HwsimError
from hwsim.graph import Graph, Node, Tensor
from hwsim.interchange.qonnx import write_qonnx
from hwsim.numerics.formats import parse_format
from hwsim.numerics.granularity import Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.rounding import Rounding
from tests.integers import every_tensor
from tests.interchange.qonnx.reference import DOMAIN, reference

MACHINE = hwsim.accelerator("edge_16x16", overrides=["datapath.psum=exact", "datapath.requantizer=float32"])
CONV = {"kernel": (3, 3), "strides": (1, 1), "pads": (1, 1, 1, 1), "dilations": (1, 1), "groups": 1}


def grid(text="uint8", scale=0.5, zero_point=0, **more):
    return QuantParams(format=parse_format(text), scale=(scale,), zero_point=(zero_point,), **more)


def network(weights, activations, granularity):
    rng = np.random.default_rng(5)
    tensors = [
        Tensor(name="x", shape=(3, 2, 6, 6)),
        Tensor(name="w", shape=(4, 2, 3, 3), data=rng.normal(size=(4, 2, 3, 3)).astype(np.float32)),
        Tensor(name="b", shape=(4,), data=rng.normal(size=4).astype(np.float32)),
        Tensor(name="a", shape=(3, 4, 6, 6)),
        Tensor(name="p", shape=(3, 4, 3, 3)),
        Tensor(name="y", shape=(3, 36)),
    ]
    pool = {"kernel": (2, 2), "strides": (2, 2), "pads": (0, 0, 0, 0), "ceil_mode": False, "dilations": (1, 1)}
    nodes = (
        Node(name="conv", op="Conv", inputs=("x", "w", "b"), outputs=("a",), attributes={**CONV, "clamp": (0.0, 6.0)}),
        Node(name="pool", op="MaxPool", inputs=("a",), outputs=("p",), attributes=pool),
        Node(name="flat", op="Reshape", inputs=("p",), outputs=("y",), attributes={"shape": (0, -1)}),
    )
    graph = Graph(name="net", nodes=nodes, tensors={t.name: t for t in tensors}, inputs=("x",), outputs=("y",))
    inputs = {"x": rng.normal(size=(3, 2, 6, 6)).astype(np.float32)}
    made = hwsim.quantize(
        graph,
        weights=weights,
        activations=activations,
        weight_granularity=granularity,
        calibration=inputs,
        boundary_bits=1,
    )
    return made, inputs


@pytest.mark.parametrize(
    ("weights", "activations"), [("int8", "uint8"), ("int3", "uint5"), ("int6n", "int7"), ("int2n", "uint3")]
)
@pytest.mark.parametrize("granularity", ["channel", "tensor"])
def test_the_definitions_compute_the_same_codes(weights, activations, granularity, tmp_path):
    graph, inputs = network(weights, activations, granularity)
    notes = write_qonnx(graph, tmp_path / "q.onnx")
    expected = graph.tensors["y"].quant.decode(every_tensor(graph, MACHINE, inputs)["y"])
    found = reference(tmp_path / "q.onnx", inputs)["y"]
    apart = np.abs(found - expected) / graph.tensors["y"].quant.scales()[0]
    assert apart.max() < 1.01
    assert np.count_nonzero(apart > 0.01) <= 1
    odd = any(t.quant.zero_point[0] % 2 for t in graph.tensors.values() if not t.is_constant)
    assert bool(notes) == odd


def test_widths_and_shapes_stand_in_the_file(tmp_path):
    graph, _ = network("int3", "uint5", "channel")
    write_qonnx(graph, tmp_path / "q.onnx")
    model = onnx.load(tmp_path / "q.onnx")
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    quants = {node.output[0]: node for node in model.graph.node if node.domain == DOMAIN}
    assert {name: float(constants[node.input[3]]) for name, node in quants.items()} == {
        "x/quantized": 5, "w": 3, "b": 32, "a": 5, "y": 5,
    }  # fmt: skip
    assert constants[quants["w"].input[1]].shape == (4, 1, 1, 1)
    shapes = {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*model.graph.value_info, *model.graph.input, *model.graph.output)
    }
    assert set(shapes) >= {name for node in model.graph.node for name in node.output}
    assert shapes["x"] == [3, 2, 6, 6]


def small(x_grid, y_grid, op="Quantize", code_inputs=(), **attributes):
    tensors = {
        "x": Tensor(name="x", shape=(1, 4), quant=x_grid),
        "y": Tensor(name="y", shape=(1, 4), quant=y_grid),
    }
    node = Node(name="n", op=op, inputs=("x",), outputs=("y",), attributes=attributes)
    return Graph(name="small", nodes=(node,), tensors=tensors, inputs=("x",), outputs=("y",), code_inputs=code_inputs)


@pytest.mark.parametrize(
    "last",
    [
        grid("bipolar", 0.5),
        grid("int2n", 0.5),
        grid("uint2n", 0.5),
        grid("int4", 0.5, rounding=Rounding.FLOOR),
        grid("uint4", 0.25, 7, order="offset_clamp_round", rounding=Rounding.HALF_AWAY),
        QuantParams(
            format=parse_format("int5"), scale=(0.5, 1.0, 0.25, 2.0), zero_point=(0, 1, 2, 3), order="offset_clamp_round",
            granularity=Granularity(axis=1),
        ),
        QuantParams(
            format=parse_format("int5"), scale=(0.5, 1.0), zero_point=(0, 0), granularity=Granularity(axis=1, block=2)
        ),
    ],
)  # fmt: skip
def test_what_qonnx_can_say(last, tmp_path):
    assert write_qonnx(small(None, last), tmp_path / "q.onnx") == ()
    x = np.float32([[-1.25, 0.0, 0.75, 1.5]])
    assert np.array_equal(reference(tmp_path / "q.onnx", {"x": x})["y"], last.decode(last.encode(x)))


def test_codes_read_on_another_grid(tmp_path):
    graph = small(grid(), grid(scale=0.25, zero_point=128), "Reinterpret", ("x",), factor=0.5, offset=-32.0)
    notes = write_qonnx(graph, tmp_path / "q.onnx")
    assert notes == ("inputs that take codes in the graph take real values in the file: 'x'",)
    found = reference(tmp_path / "q.onnx", {"x": np.float32([[0, 0.5, 64, 127.5]])})["y"]
    assert found.tolist() == [[-32, -31.75, 0, 31.75]]


@pytest.mark.parametrize(
    ("last", "kind", "message"),
    [
        (grid("ternary", 1.0), GraphError, "tensor 'y': QONNX has no quantizer for the format ternary"),
        (grid("int1", 1.0), GraphError, "tensor 'y': QONNX takes one signed bit for -1 and \\+1"),
        (grid(rounding=Rounding.HALF_UP), HwsimError, "qonnx: no rounding_mode rounds as half_up"),
        (QuantParams(format=parse_format("int8")), GraphError, "tensor 'y' has no scale yet"),
    ],
)
def test_what_qonnx_cannot_say(last, kind, message, tmp_path):
    with pytest.raises(kind, match=message):
        write_qonnx(small(None, last), tmp_path / "q.onnx")


@pytest.mark.parametrize("activations", ["uint8", "uint6", "int8", "int5"])
def test_a_factor_without_dimensions_is_read_back(activations, tmp_path):
    tensors = [
        Tensor(name="x", shape=(1, 6)),
        Tensor(name="f", shape=(), data=np.array(0.35, dtype=np.float32)),
        Tensor(name="y", shape=(1, 6)),
    ]
    node = Node(name="mul", op="Mul", inputs=("x", "f"), outputs=("y",), attributes={"clamp": (None, None)})
    graph = Graph(name="net", nodes=(node,), tensors={t.name: t for t in tensors}, inputs=("x",), outputs=("y",))
    inputs = {"x": np.random.default_rng(2).normal(size=(4, 6)).astype(np.float32)}
    made = hwsim.quantize(graph, activations=activations, calibration=inputs)
    write_qonnx(made, tmp_path / "net.onnx")
    read = hwsim.load(tmp_path / "net.onnx")
    expected, found = (hwsim.simulate(one, MACHINE, inputs) for one in (made, read))
    np.testing.assert_array_equal(found.outputs["y"], expected.outputs["y"])
    assert found.summary["energy_pj"] == expected.summary["energy_pj"]
