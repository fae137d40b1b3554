"""The analytic shift against the formula of the paper, against Monte Carlo, and through the network."""

import numpy as np
import pytest

import hwsim
from hwsim.execute.float32 import FLOAT_OPS, run_float
from hwsim.graph import Graph, Node, Tensor
from hwsim.numerics.formats import IntFormat
from hwsim.quantization.correct.expectation import expected_shift, expected_values
from hwsim.quantization.grid import params_of_ranges
from hwsim.quantization.prepare import prepare

RNG = np.random.default_rng(2)
BETA, GAMMA = RNG.normal(size=4), RNG.uniform(0.2, 1.5, size=4)
GRID = params_of_ranges([(-2.0, 2.0)], IntFormat.parse("int3"), symmetric=True, power_of_two=False)


def conv(pads, groups, shape):
    weight = RNG.normal(size=shape).astype(np.float32)
    attributes = {"kernel": shape[2:], "strides": (1, 1), "pads": pads, "dilations": (1, 1), "groups": groups}
    size = 6 + 2 * pads[0] - shape[2] + 1
    node = Node(name="n", op="Conv", inputs=("x", "w"), outputs=("y",), attributes=attributes)
    tensors = {
        "x": Tensor(name="x", shape=(1, 4, 6, 6)),
        "w": Tensor(name="w", shape=shape, data=weight, quant=GRID),
        "y": Tensor(name="y", shape=(1, shape[0], size, size)),
    }
    return Graph(name="g", nodes=(node,), tensors=tensors, inputs=("x",), outputs=("y",)), weight


@pytest.mark.parametrize(("groups", "shape"), [(1, (5, 4, 3, 3)), (4, (4, 1, 3, 3)), (2, (6, 2, 1, 1))])
@pytest.mark.parametrize("padded", [False, True])
def test_the_shift_is_that_of_drawn_inputs_and_without_padding_that_of_the_paper(groups, shape, padded):
    graph, weight = conv((1, 1, 1, 1) if padded and shape[2] == 3 else (0, 0, 0, 0), groups, shape)
    node = graph.nodes[0]
    drawn = np.maximum(BETA[:, None, None] + GAMMA[:, None, None] * RNG.standard_normal((6000, 4, 6, 6)), 0).astype(
        np.float32
    )
    mean = drawn.mean(axis=(0, 2, 3), dtype=np.float64)
    found = expected_shift(graph, node, np.broadcast_to(mean[:, None, None], (1, 4, 6, 6)))
    error = GRID.decode(GRID.encode(weight)) - weight
    simulated = FLOAT_OPS["Conv"](node, [drawn, error])[0].mean(axis=(0, 2, 3), dtype=np.float64)
    np.testing.assert_allclose(found, simulated, atol=0.02)
    if not padded or shape[2] == 1:
        of_group = mean.reshape(groups, -1).repeat(shape[0] // groups, axis=0)
        paper = (error.sum(axis=(2, 3), dtype=np.float64) * of_group).sum(axis=1)
        np.testing.assert_allclose(found, paper, atol=1e-5)


def test_expectations_of_a_trained_network_are_near_the_means_of_its_images():
    graph = prepare(hwsim.load("digits_mobilenet"))
    images = {name: hwsim.dataset("digits_mobilenet", "calibration")[name] for name in graph.inputs}
    expected = expected_values(graph)
    seen: dict[str, np.ndarray] = {}
    run_float(graph, images, observe=lambda name, values: seen.__setitem__(name, values))
    assert len(expected) == len(seen) - 1  # all but the image
    for name, mean in expected.items():
        if name in graph.outputs:
            continue
        difference = mean.mean(axis=(0, *range(2, mean.ndim))) - seen[name].mean(axis=(0, *range(2, mean.ndim)))
        assert np.sqrt(np.mean(difference**2)) < 0.35 * seen[name].std(), name


def test_images_give_the_expectation_of_the_inputs():
    graph = prepare(hwsim.load("digits_mobilenet"))
    images = {name: hwsim.dataset("digits_mobilenet", "calibration")[name] for name in graph.inputs}
    name = graph.inputs[0]
    np.testing.assert_allclose(expected_values(graph, images)[name][0], images[name].mean(axis=0), rtol=1e-5)
    assert name not in expected_values(graph)
