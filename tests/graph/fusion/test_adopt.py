"""A graph that came quantized keeps its grids: written steps become what hardware does, and the integers stay."""

from dataclasses import replace

import numpy as np
import pytest

import hwsim
from hwsim.errors import GraphError, HwsimError
from hwsim.execute.float32 import run_float
from hwsim.graph import Graph, Node, Tensor
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.quantization import prepare
from hwsim.schedule import schedule
from tests.integers import every_tensor

RNG = np.random.default_rng(3)
MACHINE = hwsim.accelerator("edge_16x16", overrides=["datapath.psum=exact", "datapath.requantizer=float32"])
CONV = {"kernel": (3, 3), "strides": (1, 1), "pads": (1, 1, 1, 1), "dilations": (1, 1), "groups": 1}


def grid(scale, zero_point=0, text="uint8", axis=None):
    scale, zero_point = np.atleast_1d(scale), np.atleast_1d(zero_point)
    return QuantParams(
        format=IntFormat.parse(text),
        scale=tuple(float(np.float32(s)) for s in scale),
        zero_point=tuple(int(z) for z in np.broadcast_to(zero_point, scale.shape)),
        granularity=Granularity(axis=axis),
    )


X_GRID, Y_GRID = grid(0.02, 128), grid(0.05, 3)
W_GRID = grid([0.01, 0.02, 0.03, 0.04], text="int8", axis=0)
W_CODES = RNG.integers(-128, 128, (4, 2, 3, 3)).astype(np.int8)
BIAS = RNG.normal(size=4).astype(np.float32)


def network(*, last=Y_GRID, bias=True):
    """x -> Quantize -> Conv -> Relu -> Quantize -> Reshape: as a QDQ file writes it."""
    inputs = ("x_q", "w", "b") if bias else ("x_q", "w")
    tensors = [
        Tensor(name="x", shape=(1, 2, 5, 5)),
        Tensor(name="x_q", shape=(1, 2, 5, 5), quant=X_GRID),
        Tensor.of_codes("w", W_CODES, W_GRID),
        *([Tensor(name="b", shape=(4,), data=BIAS)] if bias else []),
        Tensor(name="c", shape=(1, 4, 5, 5)),
        Tensor(name="r", shape=(1, 4, 5, 5)),
        Tensor(name="y_q", shape=(1, 4, 5, 5), quant=last),
        Tensor(name="y", shape=(1, 100)),
    ]
    nodes = (
        Node(name="in", op="Quantize", inputs=("x",), outputs=("x_q",)),
        Node(name="conv", op="Conv", inputs=inputs, outputs=("c",), attributes=CONV),
        Node(name="relu", op="Relu", inputs=("c",), outputs=("r",)),
        Node(name="out", op="Quantize", inputs=("r",), outputs=("y_q",)),
        Node(name="flat", op="Reshape", inputs=("y_q",), outputs=("y",), attributes={"shape": (0, -1)}),
    )
    return Graph(name="qdq", nodes=nodes, tensors={t.name: t for t in tensors}, inputs=("x",), outputs=("y",))


def images(count=3):
    return {"x": RNG.normal(size=(count, 2, 5, 5)).astype(np.float32)}


def expected(inputs):
    """Independent: int64 convolution of codes, int32 bias, one float32 multiplication, ReLU as a bound."""
    codes = np.clip(np.rint(inputs["x"] / np.float32(0.02)) + 128, 0, 255).astype(np.int64)
    padded = np.pad(codes - 128, ((0, 0), (0, 0), (1, 1), (1, 1)))
    sums = np.zeros((len(codes), 4, 5, 5), np.int64)
    for i in range(5):
        for j in range(5):
            window = padded[:, :, i : i + 3, j : j + 3]
            sums[:, :, i, j] = np.einsum("nchw,ochw->no", window, W_CODES.astype(np.int64))
    unit = np.float32(0.02) * W_GRID.scales()
    sums += np.rint(BIAS / unit).astype(np.int64)[:, None, None]
    real = sums.astype(np.float32) * (unit / np.float32(0.05))[:, None, None]
    return np.clip(np.rint(real).astype(np.int64) + 3, 3, 255)


def test_written_steps_fuse_and_the_integers_stay():
    ready = prepare(network())
    assert [node.op for node in ready.nodes] == ["Conv", "Reshape"]
    assert ready.tensors["x"].quant == X_GRID
    assert ready.tensors["y"].quant == Y_GRID
    assert np.array_equal(ready.tensors["w"].encoded(), W_CODES)
    assert str(ready.tensors["b"].quant.format) == "int32"
    inputs = images()
    assert np.array_equal(every_tensor(ready, MACHINE, inputs)["y"], expected(inputs).reshape(3, -1))


def test_adopting_twice_changes_nothing():
    once = prepare(network())
    twice = prepare(once)
    assert [(n.name, n.inputs, n.outputs) for n in once.nodes] == [(n.name, n.inputs, n.outputs) for n in twice.nodes]
    assert {name: t.quant for name, t in once.tensors.items()} == {name: t.quant for name, t in twice.tensors.items()}


def test_unfused_steps_give_real_values_and_near_codes():
    """Without adoption the convolution leaves dequantized accumulators, and the Quantize encodes them."""
    inputs = images()
    graph = network(bias=False)
    found = every_tensor(graph, MACHINE, inputs)
    assert found["c"].dtype == np.float32
    real = run_float(graph, {"x": X_GRID.decode(found["x_q"])}, keep=["c"])["c"]
    np.testing.assert_allclose(found["c"], real, rtol=1e-4, atol=1e-4)
    fused = every_tensor(prepare(graph), MACHINE, inputs)
    assert np.abs(found["y_q"].astype(int) - fused["y_q"].astype(int)).max() <= 1


def test_a_real_result_has_no_grid_and_is_priced():
    graph = network(last=None)
    result = hwsim.simulate(hwsim.quantize(graph), MACHINE, images())
    assert result.outputs["y"].dtype == np.float32
    assert result.summary["cycles"] > 0


def test_a_product_without_grids_is_vector_work():
    graph = network()
    tensors = [Tensor(name="w", shape=W_CODES.shape, data=W_GRID.decode(W_CODES))]
    island = prepare(graph.with_changes(tensors=tensors))
    assert "conv" not in schedule(island, MACHINE).mappings
    inputs = images()
    real = run_float(island, {"x": X_GRID.decode(X_GRID.encode(inputs["x"]))})["y"]
    assert np.array_equal(every_tensor(island, MACHINE, inputs)["y"], Y_GRID.encode(real))
    result = hwsim.simulate(island, MACHINE, inputs)
    row = next(row for row in result.layers.rows() if row["layer"] == "conv")
    assert row["vector_cycles"] >= 2 * 100 * 18 / MACHINE.vector.lanes


def test_codes_read_on_another_grid():
    other = grid(0.5, 7)
    attributes = {"factor": 0.5 / 0.02, "offset": 0.5 * (128 - 7)}
    graph = Graph(
        name="reinterpreted",
        nodes=(Node(name="as", op="Reinterpret", inputs=("x",), outputs=("y",), attributes=attributes),),
        tensors={
            "x": Tensor(name="x", shape=(1, 4), quant=X_GRID),
            "y": Tensor(name="y", shape=(1, 4), quant=other),
        },
        inputs=("x",),
        outputs=("y",),
        code_inputs=("x",),
    )
    codes = np.array([[0, 7, 128, 255]], np.uint8)
    found = every_tensor(graph, MACHINE, {"x": codes})
    assert np.array_equal(found["x"], codes)
    assert np.array_equal(found["y"], codes)
    np.testing.assert_allclose(run_float(graph, {"x": codes})["y"], other.decode(codes), atol=1e-4)
    with pytest.raises(HwsimError, match=r"takes uint8 codes, but holds -1\.\."):
        every_tensor(graph, MACHINE, {"x": codes.astype(np.int64) - 1})


def test_grids_cannot_be_stated_again():
    with pytest.raises(HwsimError, match="keeps its own grids"):
        hwsim.quantize(network(), weights="int4")


def test_codes_without_a_grid_are_refused():
    with pytest.raises(GraphError, match="codes need a grid"):
        Tensor(name="w", shape=(1,), data=np.ones(1), codes=np.ones(1, np.int8))


def test_an_absorbed_relu_returns_to_the_float_reference():
    """The file has no ReLU, because the grid of the result begins at 0: integers stay, the reference clips."""
    with_relu = network(last=grid(0.05, 0))
    nodes = [node for node in with_relu.nodes if node.op != "Relu"]
    nodes = [replace(node, inputs=("c",)) if node.name == "out" else node for node in nodes]
    absorbed = with_relu.with_changes(nodes=nodes)
    inputs = images()
    assert np.array_equal(
        every_tensor(prepare(absorbed), MACHINE, inputs)["y"], every_tensor(prepare(with_relu), MACHINE, inputs)["y"]
    )
    real = run_float(prepare(absorbed), inputs)["y"]
    assert np.array_equal(real, run_float(prepare(with_relu), inputs)["y"])
    assert real.min() == 0
    assert [node.clamp for node in prepare(network()).nodes if node.op == "Conv"] == [(0.0, None)]


@pytest.mark.parametrize(
    ("scale", "zero_point", "clamp"), [(6 / 255, 0, (0.0, 6.0)), (0.05, 0, (0.0, None)), (6 / 255, 4, (None, None))]
)
def test_only_grids_that_begin_at_zero_have_absorbed_an_activation(scale, zero_point, clamp):
    graph = network(last=grid(scale, zero_point))
    nodes = [node for node in graph.nodes if node.op != "Relu"]
    nodes = [replace(node, inputs=("c",)) if node.name == "out" else node for node in nodes]
    ready = prepare(graph.with_changes(nodes=nodes))
    assert ready.node_of["conv"].clamp == clamp
