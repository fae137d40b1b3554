"""Divergence by its definition."""

from dataclasses import replace

import numpy as np
import pytest

from hwsim.graph import Node, Tensor
from hwsim.quantization.allocate.sensitivity.kl import divergences, log_probabilities, loss, measure
from tests.quantization.allocate.small import GRAPH, IMAGES, variants


def softmax(x):
    powers = np.exp(x.astype(np.float64))
    return powers / powers.sum(axis=-1, keepdims=True)


def test_definition():
    random = np.random.default_rng(0)
    first, second = random.normal(size=(2, 6, 10))
    p, q = softmax(first), softmax(second)
    total, count = divergences(GRAPH, {"logits": first}, {"logits": second})
    assert count == 6
    assert total == pytest.approx((p * np.log(p / q)).sum())
    assert loss(GRAPH, {"logits": first}, {"logits": second}) == pytest.approx(total / 6)
    assert loss(GRAPH, {"logits": first}, {"logits": first}) == 0


def test_a_softmax_at_the_end_is_not_taken_twice():
    node = Node(
        name="probabilities", op="Softmax", inputs=("logits",), outputs=("probabilities",), attributes={"axis": 1}
    )
    graph = replace(
        GRAPH,
        nodes=(*GRAPH.nodes, node),
        tensors={**GRAPH.tensors, "probabilities": Tensor(name="probabilities", shape=(1, 10))},
        outputs=("probabilities",),
    )
    scores = np.random.default_rng(1).normal(size=(4, 10))
    np.testing.assert_allclose(
        log_probabilities(graph, "probabilities", softmax(scores)), log_probabilities(graph, "logits", scores)
    )


def test_trailing_ones_are_no_classes():
    scores = np.random.default_rng(2).normal(size=(4, 10, 1, 1))
    assert log_probabilities(GRAPH, "logits", scores).shape == (4, 10)


def test_narrowest_is_worse_than_widest():
    found = variants()
    table = measure(found, found.choices({"weights": (2, 4, 8)}), IMAGES, 0)
    assert all(row[0] > row[2] > 0 for row in table.values)
