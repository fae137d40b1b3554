"""Products that saturate in pairs: the condition against every pair of extreme activations."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.graph import Graph, Node, Tensor
from hwsim.interchange.onnx.write.pair_sums import layers_with_pairs_beyond
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams


def product(weight, activations="uint8", weights="int8", op="Gemm", groups=1):
    tensors = [
        Tensor(
            name="x", shape=(1, weight.shape[0]), quant=QuantParams(format=IntFormat.parse(activations), scale=(1.0,))
        ),
        Tensor.of_codes("w", weight, QuantParams(format=IntFormat.parse(weights), scale=(1.0,))),
        Tensor(name="y", shape=(1, weight.shape[-1]), quant=QuantParams(format=IntFormat(bits=8), scale=(1.0,))),
    ]
    attributes = {"groups": groups} if op == "Conv" else {}
    node = Node(name="n", op=op, inputs=("x", "w"), outputs=("y",), attributes=attributes)
    return Graph(name="g", nodes=(node,), tensors={t.name: t for t in tensors}, inputs=("x",), outputs=("y",))


@given(
    weight=st.lists(st.integers(-128, 127), min_size=2, max_size=5),
    bits=st.integers(5, 8),
)
@settings(deadline=None)
def test_a_layer_is_named_where_a_pair_leaves_16_bits(weight, bits):
    top = (1 << bits) - 1
    sums = [a * v + b * w for v, w in combinations(weight, 2) for a in (0, top) for b in (0, top)]
    beyond = not all(-(1 << 15) <= value < 1 << 15 for value in sums)
    graph = product(np.array(weight)[:, None], f"uint{bits}")
    assert layers_with_pairs_beyond(graph) == (("n",) if beyond else ())


@pytest.mark.parametrize("shape", [(4, 2, 3, 3), (6, 1, 3, 3)])
def test_convolutions_but_not_depthwise_ones(shape):
    graph = product(np.full(shape, 100), op="Conv", groups=1 if shape[1] > 1 else 6)
    assert bool(layers_with_pairs_beyond(graph)) == (shape[1] > 1)


@pytest.mark.parametrize(("activations", "weights"), [("int8", "int8"), ("uint8", "uint8"), ("uint16", "int8")])
def test_other_types_are_widened_first(activations, weights):
    assert layers_with_pairs_beyond(product(np.full((4, 2), 127), activations, weights)) == ()
