"""Quant, BipolarQuant and FloatQuant become grids; what has no grid is refused with its reason."""

import numpy as np
import pytest

import hwsim
from hwsim.errors import GraphError
from hwsim.interchange.onnx import read_onnx
from hwsim.interchange.qonnx.domain import DOMAINS
from hwsim.quantization import prepare
from tests.integers import every_tensor
from tests.interchange.qonnx.reference import build, reference

MACHINE = hwsim.accelerator("edge_16x16", overrides=["datapath.psum=exact", "datapath.requantizer=float32"])
RNG = np.random.default_rng(11)


def real(graph, found, name="y"):
    grid = graph.tensors[name].quant
    return found[name] if grid is None else grid.decode(found[name])


def one(op, operands, constants, domain=DOMAINS[0], shape=(1, 4, 3), **attributes):
    return build([(op, ["x", *operands], ["y"], attributes)], {"x": shape}, constants, domain=domain)


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize(
    ("bits", "zero", "attributes", "text"),
    [
        (4, 0, {"signed": 1, "narrow": 0}, "int4"),
        (4, 0, {"signed": 1, "narrow": 1, "rounding_mode": "FLOOR"}, "int4n"),
        (3, 2, {"signed": 0, "narrow": 0, "rounding_mode": "HALF_UP"}, "uint3"),
        (8, 3, {"signed": 0, "narrow": 1}, "uint8n"),
        (1, 0, {"signed": 1, "narrow": 0}, "bipolar"),
        (1, 0, {"signed": 0, "narrow": 0}, "uint1"),
    ],
)
def test_quant(domain, bits, zero, attributes, text):
    model = one("Quant", ["s", "z", "b"], {"s": 0.25, "z": zero, "b": bits}, domain, **attributes)
    graph = read_onnx(model)
    assert str(graph.tensors["y"].quant.format) == text
    x = np.concatenate([RNG.normal(size=(20, 4, 3)), RNG.integers(-20, 20, (20, 4, 3)) * 0.125]).astype(np.float32)
    found = every_tensor(graph, MACHINE, {"x": x})
    if bits == 1 and attributes["signed"]:
        expected = np.where(x >= 0, np.float32(0.25), np.float32(-0.25))
    else:
        model.graph.node[0].domain = DOMAINS[0]
        model.opset_import[1].domain = DOMAINS[0]
        expected = reference(model, {"x": x})["y"]
    assert np.array_equal(real(graph, found), expected)


@pytest.mark.parametrize("shape", [(4, 1), (1, 1, 3), (1, 4, 1)])
def test_a_scale_per_channel(shape):
    scale = RNG.uniform(0.1, 0.9, shape).astype(np.float32)
    graph = read_onnx(one("IntQuant", ["s", "z", "b"], {"s": scale, "z": 0, "b": 5}, signed=1, narrow=0))
    grid = graph.tensors["y"].quant
    assert grid.granularity.axis == (2 if shape == (1, 1, 3) else 1)
    assert grid.scales().tolist() == scale.reshape(-1).tolist()


def test_scales_per_block():
    scale = np.repeat(RNG.uniform(0.1, 0.9, (1, 2, 3)), 2, axis=1).astype(np.float32)
    graph = read_onnx(one("Quant", ["s", "z", "b"], {"s": scale, "z": 0, "b": 5}, signed=1, narrow=0))
    grid = graph.tensors["y"].quant
    assert (grid.granularity.axis, grid.granularity.block, len(grid.scale)) == (1, 2, 6)
    x = RNG.normal(size=(1, 4, 3)).astype(np.float32)
    expected = np.clip(np.rint(x / scale), -16, 15).astype(np.float32) * scale
    assert np.array_equal(grid.decode(grid.encode(x)), expected)


def test_float_quant():
    constants = {"s": 0.5, "e": 4, "m": 3, "b": 7, "v": 448}
    model = one("FloatQuant", list(constants), constants, has_inf=0, has_nan=1, has_subnormal=1, saturation=1)
    graph = read_onnx(model)
    assert str(graph.tensors["y"].quant.format) == "fp8e4m3fn"
    x = np.float32([[[0.3, 1e4, -0.03125, 1e-9]] * 4]).transpose(0, 2, 1)[:, :, :3]
    assert real(graph, every_tensor(graph, MACHINE, {"x": x}))[0, :, 0].tolist() == [0.3125, 224.0, -0.03125, 0.0]


def test_a_largest_number_beyond_the_special_codes():
    constants = {"s": 1, "e": 4, "m": 3, "b": 7, "v": 480}
    graph = read_onnx(one("FloatQuant", list(constants), constants, has_inf=1, has_nan=1))
    assert graph.tensors["y"].quant.format.maximum == 480
    limited = read_onnx(one("FloatQuant", list(constants), {**constants, "v": 416}, has_inf=0, has_nan=1))
    assert limited.tensors["y"].quant.format.maximum == 416


def test_a_domain_without_a_version():
    model = one("Quant", ["s", "z", "b"], {"s": 0.5, "z": 0, "b": 4})
    del model.opset_import[1]
    assert read_onnx(model).tensors["y"].quant is not None


def layer(mode="ROUND"):
    """Input, weight and result quantized, ReLU between: what Brevitas exports of a layer."""
    quant = {"signed": 1, "narrow": 1, "rounding_mode": "ROUND"}
    nodes = [
        ("Quant", ["x", "xs", "z", "xb"], ["xq"], {"signed": 0, "narrow": 0}),
        ("Quant", ["w", "ws", "z", "wb"], ["wq"], quant),
        ("Conv", ["xq", "wq"], ["c"], {"pads": [1, 1, 1, 1]}),
        ("Relu", ["c"], ["r"]),
        ("Quant", ["r", "ys", "z", "yb"], ["y"], {"signed": 0, "narrow": 0, "rounding_mode": mode}),
    ]
    constants = {
        "w": RNG.normal(size=(6, 3, 3, 3)), "ws": RNG.uniform(0.1, 0.3, (6, 1, 1, 1)), "wb": 4, "z": 0, "xs": 1 / 64,
        "xb": 8, "ys": 0.1, "yb": 5,
    }  # fmt: skip
    return build(nodes, {"x": [2, 3, 5, 5]}, constants)


def test_a_layer_keeps_codes_and_runs_on_the_array():
    model = layer()
    graph = read_onnx(model, batch=2)
    weight = graph.tensors["wq"]
    assert str(weight.quant.format) == "int4n"
    assert weight.codes is not None
    assert weight.quant.granularity.axis == 0
    x = RNG.uniform(-1, 3, (2, 3, 5, 5)).astype(np.float32)
    expected = reference(model, {"x": x})["y"]
    ready = prepare(graph)
    assert [node.op for node in ready.nodes] == ["Conv"]
    for each in (graph, ready):
        steps = np.abs(real(each, every_tensor(each, MACHINE, {"x": x})) - expected) / 0.1
        assert steps.max() < 1.01
        assert np.count_nonzero(steps > 0.01) <= 1


def test_a_rounding_of_its_own_stays_behind_the_array():
    """The machine's requantizer rounds to nearest."""
    model = layer("FLOOR")
    ready = prepare(read_onnx(model, batch=2))
    assert [node.op for node in ready.nodes] == ["Conv", "Quantize"]
    x = RNG.uniform(-1, 3, (2, 3, 5, 5)).astype(np.float32)
    steps = np.abs(real(ready, every_tensor(ready, MACHINE, {"x": x})) - reference(model, {"x": x})["y"]) / 0.1
    assert steps.max() < 1.01
    assert np.count_nonzero(steps > 0.01) <= 1


def test_a_second_quant_on_the_same_grid_is_no_node():
    attributes, operands = {"signed": 0, "narrow": 0}, ["s", "z", "b"]
    nodes = [
        ("Quant", ["x", *operands], ["q"], attributes),
        ("Flatten", ["q"], ["f"]),
        ("Quant", ["f", *operands], ["y"], attributes),
        ("Quant", ["f", "z1", "z", "b"], ["other"], attributes),
    ]
    model = build(nodes, {"x": [1, 4, 3]}, {"s": 0.5, "z": 0, "b": 4, "z1": 0.25}, outputs=("y", "other"))
    assert [node.op for node in read_onnx(model).nodes] == ["Quantize", "Flatten", "Quantize"]


@pytest.mark.parametrize(
    ("op", "constants", "attributes", "message"),
    [
        ("Quant", {"s": 0.5, "z": 0.5, "b": 4}, {}, "zero point 0.5 is no whole number"),
        ("Quant", {"s": 0.5, "z": 9, "b": 3}, {}, "zero point 9 is not a code of int3"),
        ("Quant", {"s": 0.0, "z": 0, "b": 3}, {}, "scale must be positive and finite, not 0.0"),
        ("Quant", {"s": 0.5, "z": 0, "b": 2.5}, {}, "its bit width must be a whole number, not 2.5"),
        ("Quant", {"s": 0.5, "z": 0, "b": 70}, {}, "its bit width must be 1..64, not 70"),
        ("Quant", {"s": 0.5, "z": 0, "b": [4, 4]}, {}, "its bit width must be one number, not 2"),
        ("Quant", {"s": 0.5, "z": 1, "b": 1}, {"signed": 1}, "one signed bit means -1 and \\+1, which have no zero point"),
        ("Quant", {"s": 0.5, "z": 0, "b": 4}, {"rounding_mode": "NEAREST"}, "rounding_mode 'NEAREST' is unknown"),
        ("Quant", {"s": np.ones((4, 2)), "z": 0, "b": 4}, {}, "scale and zero point of shape \\[4, 2\\] are neither one number"),
        ("Quant", {"s": 0.5, "z": 0}, {}, "its bit width \\(input 3\\) is missing"),
        ("FloatQuant", {"s": 1, "e": 4, "m": 3, "b": 7, "v": 400}, {"has_nan": 1}, "largest must be a positive value of the format"),
        ("FloatQuant", {"s": 1, "e": 40, "m": 3, "b": 7, "v": 400}, {}, "1 to 11 exponent bits"),
    ],
)  # fmt: skip
def test_what_has_no_grid_is_refused(op, constants, attributes, message):
    with pytest.raises(GraphError, match=f"node '{op}_y' .*{message}"):
        read_onnx(one(op, list(constants), constants, **attributes))


def test_a_scale_that_depends_on_an_input_is_refused():
    model = build([("Quant", ["x", "s", "z", "b"], ["y"], {})], {"x": [1, 4], "s": [1, 1]}, {"z": 0, "b": 4})
    with pytest.raises(GraphError, match="its scale 's' is computed from an input, and a grid must be known before"):
        read_onnx(model)
