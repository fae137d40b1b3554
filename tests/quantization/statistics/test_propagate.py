"""Rules for moments, operator by operator, against Monte Carlo through the float network."""

import numpy as np
import pytest

from hwsim.execute.float32 import run_float
from hwsim.graph import Graph, Node, Tensor
from hwsim.quantization.statistics import Moments, propagated

RNG = np.random.default_rng(5)
SHAPE = (1, 3, 4, 4)
MEAN, DEVIATION = RNG.normal(size=SHAPE), RNG.uniform(0.3, 1.2, size=SHAPE)
DRAWS = 8_000
POOL = {"kernel": (2, 2), "strides": (2, 2), "pads": (0, 0, 0, 0), "ceil_mode": False, "dilations": (1, 1)}
CONV = {"kernel": (3, 3), "strides": (1, 1), "pads": (1, 1, 1, 1), "dilations": (1, 1), "groups": 1}


def constant(name, *shape):
    return Tensor(name=name, shape=shape, data=RNG.normal(size=shape).astype(np.float32))


def graph_of(op, shape, attributes=None, constants=(), inputs=("x",), after=()):
    node = Node(
        name="n", op=op, inputs=(*inputs, *(each.name for each in constants), *after), outputs=("y",),
        attributes=attributes or {},
    )  # fmt: skip
    tensors = {name: Tensor(name=name, shape=SHAPE) for name in inputs}
    tensors |= {each.name: each for each in constants} | {"y": Tensor(name="y", shape=shape)}
    return Graph(name="g", nodes=(node,), tensors=tensors, inputs=inputs, outputs=("y",))


CASES = {
    "Conv": graph_of("Conv", (1, 5, 4, 4), CONV, (constant("w", 5, 3, 3, 3), constant("b", 5))),
    "depthwise": graph_of("Conv", SHAPE, {**CONV, "groups": 3}, (constant("w", 3, 1, 3, 3),)),
    "clamped Conv": graph_of("Conv", (1, 5, 4, 4), {**CONV, "clamp": (0.0, 6.0)}, (constant("w", 5, 3, 3, 3),)),
    "Add": graph_of("Add", SHAPE, inputs=("x", "z")),
    "Sub": graph_of("Sub", SHAPE, inputs=("x", "z")),
    "Add constant": graph_of("Add", SHAPE, constants=(constant("c", 1, 3, 1, 1),)),
    "Mul": graph_of("Mul", SHAPE, inputs=("x", "z")),
    "Concat": graph_of("Concat", (1, 6, 4, 4), {"axis": 1}, inputs=("x", "z")),
    "Relu": graph_of("Relu", SHAPE),
    "Clip": graph_of("Clip", SHAPE, {"minimum": -0.5, "maximum": 0.5}),
    "Sigmoid": graph_of("Sigmoid", SHAPE),
    "HardSwish": graph_of("HardSwish", SHAPE),
    "Flatten": graph_of("Flatten", (1, 48), {"axis": 1}),
    "Transpose": graph_of("Transpose", (1, 4, 4, 3), {"permutation": (0, 2, 3, 1)}),
    "Pad": graph_of("Pad", (1, 3, 6, 6), {"pads": ((0, 0), (0, 0), (1, 1), (1, 1)), "mode": "constant", "value": 0.0}),
}


def given(graph):
    return {name: Moments.normal(MEAN, DEVIATION**2) for name in graph.inputs}


def drawn(graph):
    arrays = {
        name: (MEAN + DEVIATION * RNG.standard_normal((DRAWS, *SHAPE[1:]))).astype(np.float32) for name in graph.inputs
    }
    return run_float(graph, arrays)["y"]


@pytest.mark.parametrize("case", CASES)
def test_moments_are_what_monte_carlo_finds(case):
    graph = CASES[case]
    found, values = propagated(graph, given(graph))["y"], drawn(graph)
    scale = values.std() + 1e-9
    assert np.abs(found.mean[0] - values.mean(axis=0)).max() < 0.15 * scale
    assert np.abs(found.mean[0] - values.mean(axis=0)).mean() < 0.03 * scale
    assert np.abs(found.variance[0] - values.var(axis=0)).mean() < 0.05 * scale**2
    inside = (values >= found.low[0] - 5e-3) & (values <= found.high[0] + 5e-3)
    assert inside.mean() > 0.9999


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool", "GlobalAveragePool"])
def test_pools_keep_means_as_if_neighbours_moved_together(op):
    attributes = {} if op.startswith("Global") else {**POOL, "count_include_pad": False}
    graph = graph_of(op, (1, 3, 1, 1) if op.startswith("Global") else (1, 3, 2, 2), attributes)
    level = np.array([1.0, -2.0, 0.5]).reshape(1, 3, 1, 1)
    moments = Moments.normal(np.broadcast_to(level, SHAPE), np.ones(SHAPE))
    found = propagated(graph, {"x": moments})["y"]
    np.testing.assert_allclose(found.mean, np.broadcast_to(level, found.mean.shape), rtol=1e-6)
    assert found.span == pytest.approx(moments.span)


def test_a_normalization_starts_anew_whatever_it_reads():
    graph = CASES["clamped Conv"]
    node = graph.nodes[0].with_attributes(normal=((0.0, 1.0, 2.0, 3.0, 4.0), (1.0,) * 5))
    found = propagated(graph.with_changes(nodes=[node]), {})["y"]
    assert found.mean.shape == (1, 5, 4, 4)
    assert found.mean[0, 0] == pytest.approx(0.3989, abs=1e-3)
    assert found.span == (0.0, 6.0)


def test_what_depends_on_something_unknown_is_unknown():
    assert propagated(CASES["Conv"], {}) == {}
    unknown_mean = Moments(mean=None, variance=None, low=np.zeros(SHAPE), high=np.ones(SHAPE))
    assert "y" not in propagated(CASES["Conv"], {"x": unknown_mean})
    moved = propagated(CASES["Flatten"], {"x": unknown_mean})["y"]
    assert moved.mean is None
    assert moved.span == (0.0, 1.0)


@pytest.mark.parametrize(
    ("op", "attributes", "ends"),
    [
        ("Softmax", {"axis": 1}, (0.0, 1.0)),
        ("Sigmoid", {}, (0.0, 1.0)),
        ("HardSigmoid", {"alpha": 0.2, "beta": 0.5}, (0.0, 1.0)),
        ("Tanh", {}, (-1.0, 1.0)),
    ],
)
def test_some_operators_have_ends_whatever_they_read(op, attributes, ends):
    graph = graph_of(op, SHAPE, attributes)
    found = propagated(graph, {})["y"]
    assert found.mean is found.variance is None
    assert found.low.shape == found.high.shape == SHAPE
    assert found.span == ends
    told = propagated(graph, given(graph))["y"]
    assert ends[0] <= told.span[0] < told.span[1] <= ends[1]
    assert (told.mean is None) == (op == "Softmax")
    values = drawn(graph)
    assert ends[0] <= values.min() <= values.max() <= ends[1]
