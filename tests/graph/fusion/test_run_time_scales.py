"""What follows a product with a scale found at run time becomes one Rescale; what others see in between stays."""

import numpy as np
import pytest

from hwsim.graph import Graph, Node, Tensor
from hwsim.graph.fusion.run_time_scales import run_time_scales
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams

UNIT = QuantParams(format=IntFormat(bits=8), scale=(1.0,))
CODES = np.arange(-6, 6, dtype=np.int8).reshape(4, 3)
NO_CLAMP = (None, None)


def steps(*, grid=UNIT, factor="scale", last="Relu", form="int8", outputs=("y",)):
    """x -> scales and codes -> MatMul -> Mul -> Add -> an activation, each an operator of its own."""
    data = {"bias": np.ones(3, np.float32), "two": np.full(1, 2, np.float32), "row": np.ones(3, np.float32)}
    tensors = [Tensor(name=name, shape=value.shape, data=value) for name, value in data.items()]
    tensors += [Tensor(name=name, shape=(2, 4)) for name in ("x", "ratio")]
    tensors += [Tensor(name=name, shape=(2, 3)) for name in ("sums", "scaled", "sum", "y")]
    tensors += [Tensor(name="scale", shape=(2, 1)), Tensor(name="codes", shape=(2, 4), quant=grid)]
    tensors.append(Tensor.of_codes("w", CODES, UNIT))
    attributes = {"axis": 1, "format": form}
    nodes = [Node(name="find", op="DynamicQuantize", inputs=("x",), outputs=("ratio", "scale"), attributes=attributes)]
    nodes += [
        Node(name="quantize", op="Quantize", inputs=("ratio",), outputs=("codes",)),
        Node(name="product", op="MatMul", inputs=("codes", "w"), outputs=("sums",)),
        Node(name="multiply", op="Mul", inputs=("sums", factor), outputs=("scaled",)),
        Node(name="add", op="Add", inputs=("bias", "scaled"), outputs=("sum",)),
        Node(name="last", op=last, inputs=("sum",), outputs=("y",), attributes={"minimum": -1.0, "maximum": 4.0} if last == "Clip" else {}),
    ]  # fmt: skip
    named = {name for node in nodes for name in (*node.inputs, *node.outputs)}
    kept = {tensor.name: tensor for tensor in tensors if tensor.name in named}
    return Graph(name="steps", nodes=tuple(nodes), tensors=kept, inputs=("x",), outputs=outputs)


def rows(graph):
    return [(node.name, node.op, node.inputs, node.outputs, node.clamp) for node in run_time_scales(graph).nodes]


@pytest.mark.parametrize(("last", "clamp"), [("Relu", (0.0, None)), ("Clip", (-1.0, 4.0))])
def test_all_steps(last, clamp):
    assert rows(steps(last=last)) == [
        ("find", "DynamicQuantize", ("x",), ("codes", "scale"), NO_CLAMP),
        ("product", "MatMul", ("codes", "w"), ("sums",), NO_CLAMP),
        ("add", "Rescale", ("sums", "scale", "bias"), ("y",), clamp),
    ]
    fused = run_time_scales(steps(last=last))
    assert run_time_scales(fused).nodes == fused.nodes


def test_one_constant_number_is_a_scale_next_to_scales_found_at_run_time():
    assert rows(steps(factor="two"))[-1][1:3] == ("Rescale", ("sums", "two", "bias"))
    assert [row[1] for row in rows(steps(factor="row"))][-3:] == ["Mul", "Add", "Relu"]


@pytest.mark.parametrize(
    ("seen", "ends"),
    [
        ("scaled", [("multiply", "Rescale"), ("add", "Add"), ("last", "Relu")]),
        ("sum", [("add", "Rescale"), ("last", "Relu")]),
        ("sums", [("multiply", "Mul"), ("add", "Add"), ("last", "Relu")]),
    ],
)
def test_a_result_in_between_is_kept(seen, ends):
    found = [row[:2] for row in rows(steps(outputs=("y", seen)))]
    assert found[2:] == ends


@pytest.mark.parametrize("form", ["int7", "uint9"])
def test_codes_that_end_elsewhere_than_at_the_divisor_are_quantized_again(form):
    assert [row[1] for row in rows(steps(form=form))][:2] == ["DynamicQuantize", "Quantize"]


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_codes_of_another_scale_are_quantized_again(scale):
    fused = run_time_scales(steps(grid=QuantParams(format=IntFormat(bits=8), scale=(scale,))))
    assert [node.op for node in fused.nodes][:2] == ["DynamicQuantize", "Quantize"]
