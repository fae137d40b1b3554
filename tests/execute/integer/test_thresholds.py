"""MultiThreshold in integers: on codes, on accumulators, on formats that are no integers; and what it costs."""

import numpy as np
import pytest

import hwsim
from hwsim.execute.float32 import run_float
from hwsim.graph import Graph, Node, Tensor
from hwsim.numerics.formats import BIPOLAR, IntFormat
from hwsim.numerics.granularity import Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.quantization import prepare
from tests.integers import every_tensor

MACHINE = hwsim.accelerator("edge_16x16", overrides=["datapath.psum=exact"])


def grid(text, *scale, axis=None):
    number = BIPOLAR if text == "bipolar" else IntFormat.parse(text)
    zeros = (0,) * len(scale)
    return QuantParams(format=number, scale=scale, zero_point=zeros, granularity=Granularity(axis=axis))


def thresholding(x_grid, thresholds, *, factor=1.0, offset=0.0, y_grid=None):
    tensors = [
        Tensor(name="x", shape=(1, 3, 4), quant=x_grid),
        Tensor(name="t", shape=thresholds.shape, data=thresholds.astype(np.float32)),
        Tensor(name="y", shape=(1, 3, 4), quant=y_grid),
    ]
    attributes = {"axis": 1, "factor": factor, "offset": offset}
    node = Node(name="count", op="MultiThreshold", inputs=("x", "t"), outputs=("y",), attributes=attributes)
    return Graph(
        name="thresholds",
        nodes=(node,),
        tensors={t.name: t for t in tensors},
        inputs=("x",),
        outputs=("y",),
        code_inputs=("x",),
    )


@pytest.mark.parametrize(
    ("x_grid", "y_grid", "offset"),
    [
        (grid("int8", 0.1), grid("uint4", 1.0), 0.0),
        (grid("int8", 0.1, 0.2, 0.7, axis=1), grid("int4", 1.0), -8.0),
        (grid("bipolar", 2.0), grid("uint4", 1.0), 0.0),
        (grid("int8", 0.1), None, -0.25),
    ],
)
def test_codes_and_real_values_agree(x_grid, y_grid, offset):
    rng = np.random.default_rng(1)
    graph = thresholding(x_grid, rng.normal(size=(3, 15)) * 5, offset=offset, y_grid=y_grid)
    low, high = (0, 1) if x_grid.format == BIPOLAR else (-128, 127)
    codes = rng.integers(low, high + 1, (5, 3, 4))
    real = run_float(graph, {"x": x_grid.decode(codes)})["y"]
    found = every_tensor(graph, MACHINE, {"x": x_grid.decode(codes)})
    assert np.array_equal(found["x"], codes)
    assert np.array_equal(found["y"] if y_grid is None else y_grid.decode(found["y"]), real)
    assert len(np.unique(real)) > 1


def product(weight_grid, thresholds, last="count"):
    """x (int16) -> Gemm -> Transpose -> MultiThreshold, as FINN writes a layer."""
    rng = np.random.default_rng(2)
    number = weight_grid.format
    weight = rng.integers(number.minimum, number.maximum + 1, (64, 3))
    tensors = [
        Tensor(name="x", shape=(2, 64), quant=grid("int16", 1.0)),
        Tensor.of_codes("w", weight, weight_grid),
        Tensor(name="a", shape=(2, 3)),
        Tensor(name="t", shape=thresholds.shape, data=thresholds.astype(np.float32)),
        Tensor(name="y", shape=(2, 3), quant=grid("uint4", 1.0)),
    ]
    attributes = {"axis": 1, "factor": 1.0, "offset": 0.0}
    nodes = (
        Node(name="fc", op="Gemm", inputs=("x", "w"), outputs=("a",)),
        Node(name="count", op="MultiThreshold", inputs=("a", "t"), outputs=("y",), attributes=attributes),
    )
    return weight, Graph(
        name="finn",
        nodes=nodes,
        tensors={t.name: t for t in tensors},
        inputs=("x",),
        outputs=("y",),
        code_inputs=("x",),
    )


def test_accumulators_meet_thresholds_as_integers():
    """Sums beyond 2^24, where float32 has no odd numbers."""
    rng = np.random.default_rng(3)
    x = rng.integers(-32768, 32768, (40, 64)).astype(np.int16)
    weight, graph = product(grid("int16", 1.0), np.zeros((3, 1)))
    sums = x.astype(np.int64) @ weight
    assert np.abs(sums).max() > 1 << 25
    near = np.float32(sums[:13].T)  # thresholds that float32 holds, next to sums that it does not
    tensors = [Tensor(name="t", shape=near.shape, data=near)]
    ready = prepare(graph.with_changes(tensors=tensors))
    assert str(ready.tensors["a"].quant.format) == "int32"
    small = (np.abs(sums) < 1 << 31).all(axis=1)
    expected = (sums[:, :, None] >= near.astype(np.int64)[None]).sum(-1)
    found = every_tensor(ready, MACHINE, {"x": x})
    assert np.array_equal(found["a"][small], sums[small])
    assert np.array_equal(found["y"][small], expected[small])
    rounded = (sums.astype(np.float32)[:, :, None] >= near[None]).sum(-1)
    assert (rounded != expected)[small].any()


def test_a_scale_per_channel_stays_with_the_accumulators():
    _, graph = product(grid("int4", 0.5, 0.25, 2.0, axis=1), np.arange(45).reshape(3, 15) * 10.0)
    ready = prepare(graph)
    assert ready.tensors["a"].quant.scale == (0.5, 0.25, 2.0)
    assert ready.tensors["a"].quant.granularity.axis == 1
    x = np.random.default_rng(4).integers(-100, 100, (30, 64)).astype(np.int16)
    assert np.array_equal(
        every_tensor(ready, MACHINE, {"x": x})["y"], run_float(graph, {"x": x.astype(np.float32)})["y"]
    )


def test_other_readers_keep_the_product_real():
    _, graph = product(grid("int4", 1.0), np.zeros((1, 15)))
    ready = prepare(graph.with_changes(outputs=("y", "a")))
    assert ready.tensors["a"].quant is None


def test_every_threshold_is_a_comparison():
    _, graph = product(grid("int4", 1.0), np.arange(15)[None])
    result = hwsim.simulate(prepare(graph), MACHINE)
    rows = [row for row in result.accesses.rows() if row["layer"] == "count"]
    assert rows
    layer = next(row for row in result.layers.rows() if row["layer"] == "count")
    assert layer["vector_cycles"] >= 2 * 3 * 15 / MACHINE.vector.lanes
