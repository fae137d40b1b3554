"""The change of a float network in dB."""

import numpy as np

from hwsim.graph import Tensor
from hwsim.quantization.transforms.float_change import change_db
from tests.quantization.transforms.graphs import Builder


def test_twice_the_output_is_noise_as_large_as_the_signal():
    b = Builder(1)
    graph = b.graph(b.conv("x", bias=False))
    images = {"x": np.random.default_rng(0).normal(size=(3, 3, 6, 6)).astype(np.float32)}
    weight = graph.tensors["w0"]
    for factor, expected in ((1.0, np.inf), (2.0, 0.0), (1.1, 20.0)):
        changed = graph.with_changes(
            tensors=[Tensor(name="w0", shape=weight.shape, data=weight.data * np.float32(factor))]
        )
        np.testing.assert_allclose(change_db(graph, changed, images), expected, atol=1e-4)
