"""A constant that several nodes read gets a grid per reader."""

import numpy as np
import pytest

import hwsim
from hwsim.execute.float32 import run_float
from hwsim.graph import Graph, Node, Tensor
from hwsim.quantization import prepare

RNG = np.random.default_rng(17)
WIDE = {"weights": "int16", "activations": "uint16"}


def siamese():
    """Gemm(x, w, b) + Gemm(z, w, b), z six times larger, and b added once more."""
    constants = {"w": RNG.normal(size=(8, 4)), "b": RNG.normal(size=4)}
    tensors = [Tensor(name=name, shape=data.shape, data=data.astype(np.float32)) for name, data in constants.items()]
    shapes = {"x": (1, 8), "z": (1, 8), "p": (1, 4), "q": (1, 4), "s": (1, 4), "y": (1, 4)}
    tensors += [Tensor(name=name, shape=shape) for name, shape in shapes.items()]
    nodes = (
        Node(name="first", op="Gemm", inputs=("x", "w", "b"), outputs=("p",)),
        Node(name="second", op="Gemm", inputs=("z", "w", "b"), outputs=("q",)),
        Node(name="add", op="Add", inputs=("p", "q"), outputs=("s",)),
        Node(name="again", op="Add", inputs=("s", "b"), outputs=("y",)),
    )
    return Graph(name="siamese", nodes=nodes, tensors={t.name: t for t in tensors}, inputs=("x", "z"), outputs=("y",))


def test_every_reader_has_a_name_of_its_own():
    ready = prepare(siamese())
    constants = [name for node in ready.nodes for name in node.inputs if ready.tensors[name].is_constant]
    assert len(constants) == len(set(constants)) == 5
    assert prepare(ready).tensors.keys() == ready.tensors.keys()


def test_sixteen_bits_are_close_to_float():
    graph = siamese()
    inputs = {"x": RNG.normal(size=(40, 8)).astype(np.float32), "z": 6 * RNG.normal(size=(40, 8)).astype(np.float32)}
    machine = hwsim.accelerator("edge_16x16", overrides=["datapath.psum=exact", "datapath.accumulator=exact"])
    quantized = hwsim.quantize(graph, calibration=inputs, **WIDE)
    assert hwsim.simulate(quantized, machine, inputs).summary["sqnr_db"] > 70
    np.testing.assert_allclose(run_float(quantized, inputs)["y"], run_float(graph, inputs)["y"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("value", [0.0, 7.5, -3.0])
def test_a_pad_value_outside_the_range_is_on_the_grid(value):
    attributes = {"pads": ((0, 0), (0, 0), (1, 1), (1, 1)), "mode": "constant", "value": value}
    graph = Graph(
        name="padded",
        nodes=(Node(name="pad", op="Pad", inputs=("x",), outputs=("y",), attributes=attributes),),
        tensors={"x": Tensor(name="x", shape=(1, 2, 4, 4)), "y": Tensor(name="y", shape=(1, 2, 6, 6))},
        inputs=("x",),
        outputs=("y",),
    )
    inputs = {"x": RNG.normal(size=(10, 2, 4, 4)).astype(np.float32)}
    result = hwsim.simulate(hwsim.quantize(graph, calibration=inputs, **WIDE), hwsim.accelerator("edge_16x16"), inputs)
    assert result.summary["sqnr_db"] > 70
    assert result.outputs["y"][0, 0, 0, 0] == pytest.approx(value, abs=1e-3)
