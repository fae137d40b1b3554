"""Work of the vector unit: everything that is not an array product."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from hwsim.errors import GraphError
from hwsim.graph import OPS, Graph, Node, Tensor, Work
from hwsim.mapping.tasks import Stream, VectorWork
from hwsim.numerics.quant_params import QuantParams
from hwsim.units import FLOAT32_BITS

RUN_TIME_OPERATORS = ("DynamicQuantize", "DynamicQuantizeLinear")


def grid_of(graph: Graph, name: str, node: Node) -> QuantParams:
    """Return the grid of a tensor; raise GraphError where the network is not quantized."""
    params = graph.tensors[name].quant
    if params is None:
        raise GraphError(
            f"{graph.name}: tensor {name!r} of node {node.name!r} ({node.op}) has no grid; quantize the graph first"
        )
    return params


def channel_affine(graph: Graph, node: Node) -> VectorWork:
    """Return the work of a grouped product with k = n = 1: a multiplication, and an addition of the bias."""
    weight, y = (graph.tensors[name] for name in (node.inputs[1], node.outputs[0]))
    differ = any(grid is not None and grid.granularity.axis is not None for grid in (weight.quant, y.quant))
    has_bias = len(node.inputs) > 2 and bool(node.inputs[2])
    return VectorWork(
        operations=(("multiply", y.size), ("add", y.size)) if has_bias else (("multiply", y.size),),
        bits=max(graph.tensors[name].bits for name in node.inputs[:2]),
        reads=tuple(_stream(graph.tensors[name]) for name in node.inputs if name),
        writes=(Stream(operand="ofmap", elements=y.size, bits=y.bits),),
        outputs=y.size,
        scales=y.shape[1] if differ else 0,
    )


def real_product(graph: Graph, node: Node) -> VectorWork:
    """Return the work of a matrix product or convolution in float32: a multiplication and an addition per product."""
    weight, y = graph.tensors[node.inputs[1]], graph.tensors[node.outputs[0]]
    if node.op in ("Conv", "ConvTranspose"):
        channels = weight.shape[1] if node.op == "Conv" else weight.shape[0] // node.attributes["groups"]
        depth = channels * prod(node.attributes["kernel"])
    else:
        depth = graph.tensors[node.inputs[0]].shape[-1]
    return VectorWork(
        operations=(("multiply", y.size * depth), ("add", y.size * depth)),
        bits=FLOAT32_BITS,
        reads=tuple(_stream(graph.tensors[name]) for name in node.inputs if name),
        writes=(Stream(operand="ofmap", elements=y.size, bits=y.bits),),
        outputs=y.size if y.quant is not None else 0,
    )


def vector_work(graph: Graph, node: Node) -> VectorWork:
    """Return the work of an operator of the vector unit, priced at the widths of its tensors; floats at 32 bits."""
    spec = OPS[node.op]
    outputs = [graph.tensors[name] for name in node.outputs]
    coded = all(
        graph.tensors[name].quant is not None
        for name in (*node.inputs, *node.outputs)
        if name and not graph.tensors[name].is_constant
    )
    if not coded and not graph.is_quantized:
        grid_of(graph, node.inputs[0], node)
    moves = spec.work is Work.MOVE or (node.op == "Resize" and node.attributes["mode"] == "nearest")
    if spec.work is Work.INTEGER and not spec.same_grid and _has_several_scales(graph, node):
        coded = False  # computed on decoded values
    elements = sum(tensor.size for tensor in outputs)
    per_output = _window(graph, node, outputs[0]) if spec.window else 1
    operations = () if moves else tuple((kind, count * elements * per_output) for kind, count in spec.operations)
    if node.op == "Sum":
        operations = (("multiply", len(node.inputs) * elements), ("add", (len(node.inputs) - 1) * elements))
    bits = max(tensor.bits for tensor in outputs)
    if node.op == "MultiThreshold":  # one comparison per threshold, at the width of what is compared
        operations = (("compare", graph.tensors[node.inputs[1]].shape[1] * elements),)
        bits = graph.tensors[node.inputs[0]].bits
    rescales = coded and not moves and not spec.same_grid and spec.work is not Work.TABLE  # a table holds output codes
    return VectorWork(
        operations=operations,
        bits=FLOAT32_BITS if spec.work is Work.FLOAT or not coded else bits,
        reads=_reads(graph, node, elements),
        writes=tuple(Stream(operand="ofmap", elements=tensor.size, bits=tensor.bits) for tensor in outputs),
        outputs=elements if rescales else 0,
    )


def _has_several_scales(graph: Graph, node: Node) -> bool:
    """Whether scales of an operand or of the result change along an axis, which sums and products in integers do not follow."""
    grids = [graph.tensors[name].quant for name in (*node.inputs, *node.outputs) if name]
    return any(grid is not None and grid.granularity.axis is not None for grid in grids)


def _window(graph: Graph, node: Node, output: Tensor) -> int:
    """Return how many inputs meet in one output."""
    if "kernel" in node.attributes:
        return int(prod(node.attributes["kernel"]))
    return max(1, graph.tensors[node.inputs[0]].size // output.size)


def _reads(graph: Graph, node: Node, elements: int) -> tuple[Stream, ...]:
    """Return what is read: every operand once; of an operand that is picked from (Slice, Gather) what is picked.

    A range that is found at run time must be known before the first division: its tensor is read twice.
    """
    if node.op in RUN_TIME_OPERATORS:
        source = graph.tensors[node.inputs[0]]
        return (replace(_stream(source), elements=2 * source.size),)
    if node.op in ("Slice", "Gather"):
        source = graph.tensors[node.inputs[0]]
        return (replace(_stream(source), elements=elements),)
    return tuple(_stream(graph.tensors[name]) for name in node.inputs if name)


def _stream(tensor: Tensor) -> Stream:
    return Stream(operand="weight" if tensor.is_constant else "ifmap", elements=tensor.size, bits=tensor.bits)
