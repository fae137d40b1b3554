"""Whether a network holds for every batch, and where its results carry it."""

from __future__ import annotations

from hwsim.errors import GraphError
from hwsim.graph import Graph
from hwsim.interchange.onnx.write.sheet import Shape
from hwsim.interchange.shapes import output_shapes

SYMBOL = "batch"


def shapes_at(graph: Graph, batch: int) -> dict[str, Shape] | None:
    """Return the shape of every tensor for another batch, or None where an operator holds for the graph's batch only."""
    shapes: dict[str, Shape] = {}
    for name in graph.inputs:
        shape = graph.tensors[name].shape
        shapes[name] = (batch, *shape[1:]) if shape[:1] == (graph.batch,) else shape
    for node in graph.nodes:
        operands = [shapes.get(name, graph.tensors[name].shape) for name in node.inputs if name]
        try:
            found = output_shapes(node.op, node.attributes, operands)
        except GraphError:
            return None
        if node.op == "Concat" and any(one_row(graph, node.attributes["axis"], name) for name in node.inputs):
            return None
        shapes.update(zip(node.outputs, found, strict=True))
    return shapes


def one_row(graph: Graph, axis: int, name: str) -> bool:
    """Whether a Concat repeats this operand over the batch, which ONNX's does not."""
    tensor = graph.tensors[name]
    return tensor.is_constant and axis != 0 and tensor.shape[0] == 1


def written_shape(shape: Shape, other: Shape | None, batch: int) -> list[int | str | None]:
    """Return ``shape`` with the dimensions that depend on the batch as a symbol (None where only a part of it is the batch).

    >>> written_shape((1, 8, 4), (2, 8, 4), 1)
    ['batch', 8, 4]
    """
    if other is None:
        return list(shape)
    sizes: list[int | str | None] = []
    for size, probe in zip(shape, other, strict=True):
        exact = size == batch and probe == batch + 1
        sizes.append(size if size == probe else SYMBOL if exact else None)
    return sizes
