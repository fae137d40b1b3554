"""What the vector unit reads."""

import pytest

from hwsim.graph import Graph, Node, Tensor
from hwsim.mapping.lower import lower
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams

SHAPE = (2, 3, 4)
FINDERS = {
    "DynamicQuantize": ({"axis": 2, "format": "int8"}, [SHAPE, (2, 3, 1)]),
    "DynamicQuantizeLinear": ({}, [SHAPE, (), ()]),
}


@pytest.mark.parametrize("op", FINDERS)
def test_a_range_is_found_before_the_first_division(op):
    """Both passes read the whole tensor; an operator that needs one pass reads it once."""
    attributes, shapes = FINDERS[op]
    names = ("codes", "scale", "zero_point")[: len(shapes)]
    codes = QuantParams(format=IntFormat(bits=8), scale=(1.0,))
    tensors = [Tensor(name=name, shape=shape) for name, shape in zip(names, shapes, strict=True)]
    tensors[0] = Tensor(name="codes", shape=SHAPE, quant=codes)
    tensors += [Tensor(name="x", shape=SHAPE), Tensor(name="r", shape=SHAPE)]
    nodes = (
        Node(name="r", op="Neg", inputs=("x",), outputs=("r",)),
        Node(name="find", op=op, inputs=("r",), outputs=names, attributes=attributes),
    )
    graph = Graph(name="g", nodes=nodes, tensors={t.name: t for t in tensors}, inputs=("x",), outputs=names)
    once, twice = (task.work for task in lower(graph))
    assert [(read.elements, read.bits) for read in once.reads] == [(24, 32)]
    assert [(read.elements, read.bits) for read in twice.reads] == [(48, 32)]
    assert [write.elements for write in twice.writes][:2] == [24, 6 if op == "DynamicQuantize" else 1]
