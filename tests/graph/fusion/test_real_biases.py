"""Biases of products that stay real are added in float32; those of requantized products join the accumulator."""

import numpy as np

import hwsim
from hwsim.graph import Graph, Node, Tensor
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams
from hwsim.quantization import prepare
from hwsim.schedule import schedule
from tests.integers import every_tensor

MACHINE = hwsim.accelerator("edge_16x16", overrides=["datapath.psum=exact"])
CONV = {"kernel": (1, 1), "strides": (1, 1), "pads": (0, 0, 0, 0), "dilations": (1, 1), "groups": 1}
RNG = np.random.default_rng(8)
WEIGHT = RNG.integers(-8, 8, (3, 4, 1, 1))
BIAS = np.float32([0.3, -0.7, 5.1])


def network(last):
    """x -> Conv (bias in thirds of a step) -> Relu -> y: on the grid ``last``, or real."""
    grid = QuantParams(format=IntFormat(bits=4), scale=(1.0,))
    tensors = [
        Tensor(name="x", shape=(1, 4, 2, 2), quant=grid),
        Tensor.of_codes("w", WEIGHT, grid),
        Tensor(name="b", shape=(3,), data=BIAS),
        Tensor(name="c", shape=(1, 3, 2, 2)),
        Tensor(name="r", shape=(1, 3, 2, 2)),
        Tensor(name="y", shape=(1, 3, 2, 2), quant=last),
    ]
    nodes = (
        Node(name="conv", op="Conv", inputs=("x", "w", "b"), outputs=("c",), attributes=CONV),
        Node(name="relu", op="Relu", inputs=("c",), outputs=("r",)),
        Node(name="out", op="Quantize" if last else "Tanh", inputs=("r",), outputs=("y",)),
    )
    return Graph(
        name="net", nodes=nodes, tensors={t.name: t for t in tensors}, inputs=("x",), outputs=("y",), code_inputs=("x",)
    )


def test_a_real_result_keeps_its_real_bias():
    ready = prepare(network(None))
    assert [(node.name, node.op) for node in ready.nodes] == [("conv", "Conv"), ("conv/bias", "Add"), ("out", "Tanh")]
    assert ready.nodes[0].clamp == (None, None)
    assert ready.nodes[1].clamp == (0.0, None)
    x = RNG.integers(-8, 8, (5, 4, 2, 2)).astype(np.int8)
    sums = np.einsum("nchw,oc->nohw", x.astype(np.int64), WEIGHT[:, :, 0, 0]).astype(np.float32)
    expected = np.tanh(np.maximum(sums + BIAS[:, None, None], 0))
    np.testing.assert_allclose(every_tensor(ready, MACHINE, {"x": x})["y"], expected, rtol=1e-6)
    assert "conv" in schedule(ready, MACHINE).mappings
    again = prepare(ready)
    assert [node.name for node in again.nodes] == [node.name for node in ready.nodes]


def test_a_requantized_result_rounds_its_bias_to_the_accumulator():
    ready = prepare(network(QuantParams(format=IntFormat(bits=8), scale=(1.0,))))
    assert [node.name for node in ready.nodes] == ["conv"]
    assert ready.tensors["b"].encoded().tolist() == [0, -1, 5]
