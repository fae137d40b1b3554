"""Hessian trace and Gauss-Newton diagonal against closed forms of the last layer, and against finite differences."""

from dataclasses import replace

import numpy as np
import pytest

from hwsim.errors import HwsimError
from hwsim.execute.float32 import run_float
from hwsim.quantization.allocate.knobs import Knob
from hwsim.quantization.allocate.sensitivity.gauss_newton import fisher_diagonal
from hwsim.quantization.allocate.sensitivity.gradients import distributions, weights_of
from hwsim.quantization.allocate.sensitivity.hessian import mean_traces
from hwsim.quantization.allocate.sensitivity.kl import log_probabilities, loss
from tests.quantization.allocate.small import GRAPH, IMAGES, measured, variants

torch = pytest.importorskip("torch", reason='differentiates: pip install "hwsim[train]"')

FOUND = variants()
CHOICES = FOUND.choices({"weights": (4, 8)})
LAST = Knob("logits", "weights")


def last_layer():
    """Return the Gauss-Newton diagonal ``E[x_i^2 p_c (1 - p_c)]`` of ``logits = x W + b``."""
    values = run_float(GRAPH, IMAGES, keep=["pool"])
    x = values["pool"].reshape(len(IMAGES["image"]), -1).astype(np.float64)
    p = np.exp(log_probabilities(GRAPH, "logits", values["logits"]))
    return np.square(x).T @ (p * (1 - p)) / len(x)


def test_network_is_the_float_one():
    with torch.no_grad():
        (found,) = next(distributions(FOUND, weights_of(FOUND, CHOICES), IMAGES))
    exact = log_probabilities(GRAPH, "logits", run_float(GRAPH, IMAGES)["logits"])
    np.testing.assert_allclose(found.numpy(), exact, atol=1e-5)


def test_diagonal_of_the_last_layer():
    found = fisher_diagonal(FOUND, CHOICES, IMAGES, 0, draws=600)[LAST]
    exact = last_layer()
    assert np.abs(found - exact).sum() / exact.sum() < 0.12
    assert found.sum() == pytest.approx(exact.sum(), rel=0.05)


def test_trace_of_every_layer_is_the_sum_of_the_diagonal():
    diagonal = fisher_diagonal(FOUND, CHOICES, IMAGES, 0, draws=300)
    traces = mean_traces(FOUND, CHOICES, IMAGES, 0, draws=300)
    assert traces[LAST] == pytest.approx(last_layer().mean(), rel=0.1)
    for knob in CHOICES.knobs:
        assert traces[knob] == pytest.approx(diagonal[knob].mean(), rel=0.2)


def test_small_steps_cost_what_the_second_order_says():
    """KL of random changes of the last layer against half of their quadratic form, in the mean."""
    random = np.random.default_rng(5)
    weight = GRAPH.tensors[GRAPH.node_of["logits"].inputs[1]]
    exact = run_float(GRAPH, IMAGES)
    found, expected = 0.0, 0.0
    for _ in range(40):
        change = random.normal(size=weight.shape) * 0.05
        moved = replace(weight, data=(weight.data + change).astype(np.float32))
        found += loss(GRAPH, exact, run_float(GRAPH.with_changes(tensors=[moved]), IMAGES))
        expected += (last_layer() * change**2).sum() / 2
    assert found == pytest.approx(expected, rel=0.2)


@pytest.mark.parametrize("name", ["hessian", "gauss_newton"])
def test_measures(name):
    table = measured(name, FOUND, CHOICES)
    assert table == measured(name, FOUND, CHOICES)
    assert all(row[0] > row[1] > 0 for row in table.values)
    with pytest.raises(HwsimError, match=f"{name}: measures weights alone"):
        measured(name, FOUND, FOUND.choices({"activations": (4, 8)}))
