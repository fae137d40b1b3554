"""Codes whose scales change along an axis, in every operator: moved where their grid follows, else computed as real numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hwsim
from hwsim.execute.float32.registry import FLOAT_OPS
from hwsim.execute.integer import Layer, check_executable, run_integer
from hwsim.execute.integer.run import operator_of
from hwsim.graph import OPS, Graph, Node, Tensor, Work
from hwsim.graph.moves import moved_grid
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams

SHAPE = (2, 4, 6, 6)
GROUPS = Granularity(axis=1, groups=(1, 0, 1, 2))
CHANNELS = Granularity(axis=1)
POOL = {"kernel": (2, 2), "strides": (2, 2), "pads": (0, 0, 0, 0), "ceil_mode": 0}
INT8 = IntFormat(bits=8)

KEPT = {  # axis 1 stays whole, so that codes are moved
    "MaxPool": ({**POOL, "dilations": (1, 1)}, (2, 4, 3, 3)),
    "GlobalMaxPool": ({}, (2, 4, 1, 1)),
    "Identity": ({}, SHAPE),
    "Reshape": ({"shape": (2, 4, 36)}, (2, 4, 36)),
    "Transpose": ({"permutation": (0, 2, 3, 1)}, (2, 6, 6, 4)),
    "Slice": ({"starts": (1,), "ends": (5,), "axes": (2,), "steps": (1,)}, (2, 4, 4, 6)),
    "Resize": ({"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor",
                "scales": (2.0, 2.0), "output_size": (12, 12)}, (2, 4, 12, 12)),
}  # fmt: skip
COMPUTED = {  # anything else is decoded, computed and encoded
    "Relu": ({}, SHAPE),
    "Sigmoid": ({}, SHAPE),
    "Quantize": ({}, SHAPE),
    "Softmax": ({"axis": 1}, SHAPE),
    "AveragePool": ({**POOL, "count_include_pad": 0}, (2, 4, 3, 3)),
    "GlobalAveragePool": ({}, (2, 4, 1, 1)),
    "ReduceMean": ({"axes": (2, 3), "keepdims": 1}, (2, 4, 1, 1)),
}


def grid(rng, granularity, count):
    return QuantParams(
        format=INT8, scale=tuple(map(float, np.float32(rng.uniform(0.01, 0.1, count)))),
        zero_point=tuple(map(int, rng.integers(-9, 9, count))), granularity=granularity,
    )  # fmt: skip


def graph_of(op, attributes, operands, after, output):
    tensors = [Tensor(name=f"x{index}", shape=SHAPE, quant=quant) for index, quant in enumerate(operands)]
    names = tuple(tensor.name for tensor in tensors)
    tensors.append(Tensor(name="y", shape=after, quant=output))
    node = Node(name="op", op=op, inputs=names, outputs=("y",), attributes=attributes)
    return Graph(name="one", nodes=(node,), tensors={t.name: t for t in tensors}, inputs=names, outputs=("y",))


def run(graph, codes, *changes):
    accelerator = hwsim.accelerator("edge_16x16", overrides=list(changes))
    check_executable(graph, accelerator)
    layer = Layer.of(graph, graph.nodes[0], accelerator, None)
    images = {name: graph.tensors[name].quant.decode(part) for name, part in zip(graph.inputs, codes, strict=True)}
    return run_integer(graph, {"op": layer}, images)["y"], operator_of(layer).__name__


def expected(graph, codes):
    """Return what decoding, float32 and encoding give."""
    values = [graph.tensors[name].quant.decode(part) for name, part in zip(graph.inputs, codes, strict=True)]
    (result,) = FLOAT_OPS[graph.nodes[0].op](graph.nodes[0], values)
    return graph.tensors["y"].quant.encode(result)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(KEPT)), st.sampled_from([GROUPS, CHANNELS]))
def test_moves_that_keep_the_axis_keep_codes(seed, op, granularity):
    rng = np.random.default_rng(seed)
    attributes, after = KEPT[op]
    own = grid(rng, granularity, 3 if granularity is GROUPS else 4)
    output = moved_grid(op, attributes, own, SHAPE, after)
    assert output not in ("lost", None)
    graph = graph_of(op, attributes, [own], after, output)
    codes = [rng.integers(-128, 128, SHAPE)]
    found, name = run(graph, codes)
    assert name != "real"
    np.testing.assert_array_equal(found, expected(graph, codes))


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 2**32 - 1), st.sampled_from(sorted(COMPUTED)), st.booleans(),
    st.sampled_from(["native", "onnxruntime", "tflite", "ibert"]),
)  # fmt: skip
def test_other_operators_compute_real_numbers(seed, op, on_output, arithmetic):
    """Whether the operand or the result has scales along an axis, under every arithmetic of the vector unit."""
    rng = np.random.default_rng(seed)
    attributes, after = COMPUTED[op]
    grids = [grid(rng, PER_TENSOR, 1), grid(rng, GROUPS, 3)]
    own, output = grids if on_output else grids[::-1]
    graph = graph_of(op, attributes, [own], after, output)
    codes = [rng.integers(-128, 128, SHAPE)]
    found, name = run(graph, codes, f"datapath.arithmetic={arithmetic}")
    assert name == "real"
    np.testing.assert_array_equal(found, expected(graph, codes))


@pytest.mark.parametrize("op", ["Add", "Sub", "Sum", "Mul", "Concat"])
@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("arithmetic", ["native", "onnxruntime", "tflite"])
def test_sums_and_products(op, which, arithmetic):
    rng = np.random.default_rng(which)
    grids = [grid(rng, CHANNELS, 4) if index == which else grid(rng, PER_TENSOR, 1) for index in range(3)]
    attributes = {"axis": 2} if op == "Concat" else {}
    graph = graph_of(op, attributes, grids[:2], (2, 4, 12, 6) if op == "Concat" else SHAPE, grids[2])
    codes = [rng.integers(-128, 128, SHAPE) for _ in range(2)]
    found, name = run(graph, codes, f"datapath.arithmetic={arithmetic}")
    assert name == "real"
    np.testing.assert_array_equal(found, expected(graph, codes))


@pytest.mark.parametrize(("op", "attributes", "after"), [
    ("Flatten", {"axis": 1}, (2, 144)),
    ("Pad", {"pads": ((0, 0), (0, 0), (1, 1), (1, 1)), "mode": "constant", "value": 0.0}, (2, 4, 8, 8)),
    ("Slice", {"starts": (0,), "ends": (2,), "axes": (1,), "steps": (1,)}, (2, 2, 6, 6)),
])  # fmt: skip
def test_moves_that_lose_the_axis_are_encoded_anew(op, attributes, after):
    rng = np.random.default_rng(5)
    own = grid(rng, GROUPS, 3)
    output = own if op == "Pad" else grid(rng, PER_TENSOR, 1)
    graph = graph_of(op, attributes, [own], after, output)
    codes = [rng.integers(-128, 128, SHAPE)]
    found, name = run(graph, codes)
    assert name == "real"
    np.testing.assert_array_equal(found, expected(graph, codes))


def test_no_operator_in_integers_was_forgotten():
    """Every row of OPS that the vector unit computes in integers stands in a table above, or is tested beside sums."""
    here = {*KEPT, *COMPUTED, "Add", "Sub", "Sum", "Mul", "Concat"}
    assert {op for op, spec in OPS.items() if spec.work is Work.INTEGER} <= here
