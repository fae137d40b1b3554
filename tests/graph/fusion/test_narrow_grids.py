"""A Clip at the ends of a narrower format tells the width of activations; any other leaves the grid as it is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.graph import Graph, Node, Tensor
from hwsim.graph.fusion.narrow_grids import narrow_grids
from hwsim.numerics.formats import IntFormat, parse_format
from hwsim.numerics.quant_params import QuantParams


def network(low, high, grid, *, before=None, behind=("Flatten",), outputs=None):
    """x [-> an operator] -> Clip -> Quantize -> moves."""
    tensors = [Tensor(name=name, shape=(2, 4)) for name in ("x", "h", "c")]
    tensors.append(Tensor(name="q", shape=(2, 4), quant=grid))
    nodes = [Node(name="before", op=before, inputs=("x",), outputs=("h",))] if before else []
    ends = {"minimum": low, "maximum": high}
    nodes.append(Node(name="clip", op="Clip", inputs=("h" if before else "x",), outputs=("c",), attributes=ends))
    nodes.append(Node(name="quantize", op="Quantize", inputs=("c",), outputs=("q",)))
    last = "q"
    for place, op in enumerate(behind):
        attributes = {"Flatten": {"axis": 1}, "Concat": {"axis": 1}}.get(op, {})
        inputs = (last, "other") if op == "Concat" else (last,)
        nodes.append(Node(name=f"m{place}", op=op, inputs=inputs, outputs=(f"m{place}",), attributes=attributes))
        last = f"m{place}"
        tensors.append(Tensor(name=last, shape=(2, 8 if op == "Concat" else 4), quant=grid))
    tensors.append(Tensor(name="other", shape=(2, 4), quant=grid))
    inputs = ("x", "other") if "Concat" in behind else ("x",)
    named = {name for node in nodes for name in (*node.inputs, *node.outputs)}
    kept = {tensor.name: tensor for tensor in tensors if tensor.name in named}
    return Graph(name="net", nodes=tuple(nodes), tensors=kept, inputs=inputs, outputs=outputs or (last,))


def grid_of(text, scale=0.1, zero_point=0):
    return QuantParams(format=parse_format(text), scale=(scale,), zero_point=(zero_point,))


@given(
    bits=st.integers(1, 16),
    stored=st.sampled_from([8, 16]),
    kind=st.sampled_from(["int", "uint", "narrow"]),
    scale=st.floats(2.0**-20, 2.0**20, width=32),
    data=st.data(),
)
def test_the_ends_of_a_format_give_its_grid(bits, stored, kind, scale, data):
    number = IntFormat(bits=max(min(bits, stored), 2), signed=kind != "uint", narrow=kind == "narrow")
    zero_point = data.draw(st.integers(number.minimum, number.maximum))
    wide = IntFormat(bits=stored, signed=number.signed)
    grid = QuantParams(format=wide, scale=(scale,), zero_point=(zero_point,))
    low, high = grid.decode(np.array([number.minimum, number.maximum])).tolist()
    found = narrow_grids(network(low, high, grid))
    assert found.tensors["q"].quant == found.tensors["m0"].quant
    assert found.tensors["q"].quant.format == number
    assert found.tensors["q"].quant.zero_point == (zero_point,)
    assert [node.op for node in found.nodes] == (
        ["Quantize", "Flatten"] if number != wide else ["Clip", "Quantize", "Flatten"]
    )


@pytest.mark.parametrize(
    ("low", "high", "grid"),
    [
        (0.0, 6.0, grid_of("uint8", 6 / 255)),
        (0.0, 6.0, grid_of("uint8")),
        (None, 1.5, grid_of("uint8")),
        (0.0, None, grid_of("uint8")),
        (-3.2, 3.1, grid_of("int8", 0.3)),
        (0.0, 1.5, grid_of("int8")),
        (0.0, 1.5, grid_of("uint8", zero_point=3)),
    ],
)
def test_other_ends_tell_nothing(low, high, grid):
    graph = network(low, high, grid)
    assert narrow_grids(graph) is graph


@pytest.mark.parametrize(("before", "stays"), [("Relu", True), ("Sigmoid", False), ("Tanh", False), (None, False)])
def test_a_clip_stays_where_it_becomes_a_clamp(before, stays):
    found = narrow_grids(network(0.0, 1.5, grid_of("uint8", float(np.float32(0.1))), before=before))
    assert str(found.tensors["q"].quant.format) == "uint4"
    assert ("clip" in found.node_of) == stays


def test_codes_that_meet_others_keep_the_wider_format():
    found = narrow_grids(network(0.0, 1.5, grid_of("uint8"), behind=("Flatten", "Concat", "Flatten")))
    assert [str(found.tensors[name].quant.format) for name in ("q", "m0", "m1", "m2")] == [
        "uint4",
        "uint4",
        "uint8",
        "uint8",
    ]


def test_a_clipped_result_of_the_network_is_kept():
    graph = network(0.0, 1.5, grid_of("uint8"), outputs=("c", "m0"))
    assert narrow_grids(graph) is graph
