"""Products with scales found at run time, which a file writes step by step: as the vector unit computes them, in two passes.

* A ``DynamicQuantize`` whose quotients only a quantizer reads, on a grid of scale 1 that ends at the divisor, gives the codes
  itself.
* A product of codes that leaves as real sums, multiplied by the scale that was found, is finished by one ``Rescale``, with the
  constant that is added to it and the clamp behind. Next to run-time scales a product of an input with a scale of its own
  is written in the same way, with one constant number for the scale.
"""

from __future__ import annotations

from dataclasses import replace

from hwsim.graph.graph import Graph
from hwsim.graph.node import Node
from hwsim.graph.ops import OPS, Work
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR
from hwsim.numerics.rounding import Rounding

FINDER = "DynamicQuantize"


def run_time_scales(graph: Graph) -> Graph:
    """Return the graph with both forms fused; one that finds no scale at run time stays as it is."""
    if all(node.op != FINDER for node in graph.nodes):
        return graph
    replaced: dict[str, Node] = {}  # scales stand where they are found, results where the last step was
    dropped: set[str] = set()
    for node in graph.nodes:
        chain, finished = _codes(graph, node) if node.op == FINDER else _rescale(graph, node)
        if finished is not None:
            replaced[chain[0 if node.op == FINDER else -1].name] = finished
            dropped |= {each.name for each in chain}
    if not replaced:
        return graph
    nodes = [replaced.get(node.name, node) for node in graph.nodes if node.name in replaced or node.name not in dropped]
    return graph.with_changes(nodes=nodes)


def _reader(graph: Graph, name: str) -> Node | None:
    """Return the only reader of a real tensor that nobody else sees."""
    readers = graph.consumers_of[name]
    is_own = name not in graph.outputs and graph.tensors[name].quant is None
    return readers[0] if is_own and len(readers) == 1 else None


def _codes(graph: Graph, node: Node) -> tuple[list[Node], Node | None]:
    """Return a DynamicQuantize and the quantizer that it swallows, and the node with codes for quotients."""
    reader = _reader(graph, node.outputs[0])
    if reader is None or reader.op != "Quantize":
        return [], None
    codes = reader.outputs[0]
    grid, maximum = graph.tensors[codes].quant, IntFormat.parse(node.attributes["format"]).maximum
    if grid is None or not isinstance(grid.format, IntFormat) or grid.format.maximum != maximum:
        return [], None
    if (
        grid.scale != (1.0,)
        or not grid.is_symmetric
        or grid.granularity != PER_TENSOR
        or grid.rounding is not Rounding.HALF_EVEN
    ):
        return [], None
    found = replace(node.with_attributes(format=str(grid.format)), outputs=(codes, node.outputs[1]))
    return [node, reader], found


def _rescale(graph: Graph, node: Node) -> tuple[list[Node], Node | None]:
    """Return what follows a product of codes up to its real result, and the Rescale in its place."""
    if not _has_real_sums(graph, node):
        return [], None
    sums = node.outputs[0]
    multiply = _reader(graph, sums)
    if multiply is None or multiply.op != "Mul" or multiply.clamp != (None, None):
        return [], None
    scale = multiply.inputs[1] if multiply.inputs[0] == sums else multiply.inputs[0]
    if scale == sums or not _is_scale(graph, scale) or not _keeps_shape(graph, multiply, sums):
        return [], None
    chain, operands = [multiply], [sums, scale]
    add = _reader(graph, multiply.outputs[0])
    if add is not None and add.op == "Add" and add.clamp == (None, None):
        bias = next((name for name in add.inputs if name != multiply.outputs[0]), "")
        if bias and _is_real_constant(graph, bias) and _keeps_shape(graph, add, sums):
            chain.append(add)
            operands.append(bias)
    last = chain[-1]
    clamp: tuple[float | None, float | None] = (None, None)
    activation = _reader(graph, last.outputs[0])
    if activation is not None and activation.op in ("Relu", "Clip"):
        is_relu = activation.op == "Relu"
        clamp = (0.0, None) if is_relu else (activation.attributes["minimum"], activation.attributes["maximum"])
        chain.append(activation)
    finished = Node(
        name=last.name, op="Rescale", inputs=tuple(operands), outputs=chain[-1].outputs, attributes={"clamp": clamp}
    )
    return chain, finished


def _has_real_sums(graph: Graph, node: Node) -> bool:
    is_product = OPS[node.op].work is Work.GEMM and len(node.inputs) == 2
    return is_product and all(graph.tensors[name].quant is not None for name in node.inputs)


def _is_scale(graph: Graph, name: str) -> bool:
    """Whether a number was found at run time, or is one real constant."""
    maker = graph.producer_of.get(name)
    if maker is not None:
        return maker.op == FINDER and name == maker.outputs[1]
    return _is_real_constant(graph, name) and graph.tensors[name].size == 1


def _is_real_constant(graph: Graph, name: str) -> bool:
    return graph.tensors[name].is_constant and graph.tensors[name].quant is None


def _keeps_shape(graph: Graph, node: Node, like: str) -> bool:
    return graph.tensors[node.outputs[0]].shape == graph.tensors[like].shape
