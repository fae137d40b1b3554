"""A proof by enumeration: every pair of products of 4-bit operands, through the whole array path, in every narrow register.

A matrix product with k = 2 whose rows are all pairs of activations and whose columns are all pairs of weights has every
(a0, w0, a1, w1) as an output. With one row of processing elements each product is a fold of its own and the accumulator
adds both; with two the partial sum does. Expected are the definitions on Python integers, for every pair of products.
"""

from itertools import product

import numpy as np
import pytest

import hwsim
from hwsim.execute.integer import Layer, run_integer
from hwsim.graph import Graph, Node, Tensor
from hwsim.numerics.accumulator import Accumulator
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams
from hwsim.schedule import schedule

REGISTERS = [f"int{bits}:{overflow}" for bits in range(2, 10) for overflow in ("wrap", "saturate")]


def pairs(text):
    number = IntFormat.parse(text)
    return np.array(list(product(range(number.minimum, number.maximum + 1), repeat=2)))


def network(activations, weights, bias):
    def of(text):
        return QuantParams(format=IntFormat.parse(text), scale=(1.0,))

    w = pairs(weights).T
    tensors = [
        Tensor(name="x", shape=(256, 2), quant=of(activations)),
        Tensor.of_codes("w", w, of(weights)),
        Tensor.of_codes("b", np.full(w.shape[1], bias), of("int32")),
        Tensor(name="y", shape=(256, w.shape[1]), quant=of("int32")),
    ]
    node = Node(name="node", op="Gemm", inputs=("x", "w", "b"), outputs=("y",))
    return Graph(name="all", nodes=(node,), tensors={t.name: t for t in tensors}, inputs=("x",), outputs=("y",))


class Machine:
    """Runs the network with ``rows`` of processing elements; tiles and folds are the same for all registers."""

    def __init__(self, graph, x, rows):
        self.graph, self.x = graph, x
        self.keys = [f"array.rows={rows}", "datapath.bias=start"]
        self.mapping = schedule(graph, self.with_registers("exact", "exact")).mappings["node"]

    def with_registers(self, psum, accumulator):
        registers = [f"datapath.psum={psum}", f"datapath.accumulator={accumulator}"]
        return hwsim.accelerator("edge_16x16", overrides=[*self.keys, *registers])

    def run(self, psum, accumulator):
        layer = Layer.of(self.graph, self.graph.nodes[0], self.with_registers(psum, accumulator), self.mapping)
        codes = run_integer(self.graph, {"node": layer}, {"x": self.x.astype(np.float32)})["y"]
        return codes, layer.counters


def expected(first, second, psum, accumulator, bias, segments):
    """The accumulator and the overflows of two products, written out."""
    held, events = accumulator.reduce(bias), 0
    partial = 0
    for value, ends_a_fold in ((first, len(segments) == 2), (second, True)):
        partial += value
        events += not psum.fits(partial)
        partial = psum.reduce(partial)
        if ends_a_fold:
            held += partial
            events += not accumulator.fits(held)
            held = accumulator.reduce(held)
            partial = 0
    return held, events


@pytest.mark.parametrize(("activations", "weights"), [("int4", "int4"), ("uint4", "int4")])
@pytest.mark.parametrize("rows", [1, 2])
def test_every_pair_of_products_in_every_register(activations, weights, rows):
    x, w, bias = pairs(activations), pairs(weights), 1
    graph = network(activations, weights, bias)
    products = np.unique(np.outer(np.unique(x), np.unique(w)))
    first = np.searchsorted(products, np.outer(x[:, 0], w[:, 0]))
    second = np.searchsorted(products, np.outer(x[:, 1], w[:, 1]))
    machine, differing = Machine(graph, x, rows), 0
    segments = machine.mapping.k_segments
    assert len(segments) == 3 - rows
    for text in REGISTERS:
        wide = "int20:exact"
        psum, accumulator = (text, wide) if rows == 2 else (wide, text)
        codes, counters = machine.run(psum, accumulator)
        registers = Accumulator.parse(psum), Accumulator.parse(accumulator)
        table = np.array(
            [[expected(p, q, *registers, bias, segments) for q in products.tolist()] for p in products.tolist()]
        )
        np.testing.assert_array_equal(codes, table[first, second, 0], err_msg=text)
        assert counters.overflow_events == table[first, second, 1].sum(), text
        assert counters.overflow_outputs == np.count_nonzero(table[first, second, 1]), text
        differing += counters.overflow_events > 0
    assert differing >= 14


@pytest.mark.parametrize("both", REGISTERS)
def test_psum_and_accumulator_are_narrow_together(both):
    """Two folds, both registers of the same width, and a start value that does not fit the narrowest."""
    x, w, bias = pairs("int4"), pairs("int4"), -3
    graph = network("int4", "int4", bias)
    machine = Machine(graph, x, 1)
    segments = machine.mapping.k_segments
    codes, counters = machine.run(both, both)
    register = Accumulator.parse(both)
    products = np.unique(np.outer(np.arange(-8, 8), np.arange(-8, 8)))
    start_events = not register.fits(bias)
    table = np.array(
        [[expected(p, q, register, register, bias, segments) for q in products.tolist()] for p in products.tolist()]
    )
    first = np.searchsorted(products, np.outer(x[:, 0], w[:, 0]))
    second = np.searchsorted(products, np.outer(x[:, 1], w[:, 1]))
    np.testing.assert_array_equal(codes, table[first, second, 0])
    assert counters.overflow_events == table[first, second, 1].sum() + start_events * codes.size
