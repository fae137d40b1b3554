"""Scales that plain operators find at run time: one node for what a file needs six for.

``found = ReduceMax(Abs(x)) / maximum``, ``scale = Where(found > 0, found, 1)`` and ``x / scale`` say together what
``DynamicQuantize`` says. ONNX's DynamicQuantizeLinear, for 8 bits and whole tensors only, needs none of this. The six are found
by how they are connected and by their constants; whatever else reads one of the numbers in between keeps them as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper, numpy_helper

OP, DOMAIN = "DynamicQuantize", "hwsim"
LARGEST_MAXIMUM = (1 << 16) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One occurrence.

    Args:
        node: takes the place of the Where.
        members: indices of the file's nodes that vanish or are replaced, the Where last.
    """

    node: onnx.NodeProto
    members: tuple[int, ...]


def with_run_time_scales(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """Return the nodes of a model, those that find scales at run time as one ``hwsim.DynamicQuantize`` each.

    It has the outputs ``x / scale`` and ``scale``, and the attributes ``axes``, ``keepdims`` and ``maximum``.
    """
    nodes = list(model.graph.node)
    if all(node.op_type != "Where" for node in nodes):
        return nodes
    index = _Index(model)
    replaced: dict[int, onnx.NodeProto] = {}
    dropped: set[int] = set()
    for place, node in enumerate(nodes):
        found = _found(index, place) if node.op_type == "Where" else None
        if found is not None:
            replaced[place] = found.node
            dropped |= set(found.members)
    return [replaced.get(place, node) for place, node in enumerate(nodes) if place in replaced or place not in dropped]


class _Index:
    """Who makes and who reads the tensors of a model, and its constants."""

    def __init__(self, model: onnx.ModelProto):
        self.nodes = model.graph.node
        self.stored = {tensor.name: tensor for tensor in model.graph.initializer}
        self.maker: dict[str, int] = {}
        self.readers: dict[str, list[int]] = {value.name: [-1] for value in model.graph.output}
        for place, node in enumerate(self.nodes):
            self.maker.update(dict.fromkeys(node.output, place))
            for name in node.input:
                self.readers.setdefault(name, []).append(place)
            if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
                self.stored[node.output[0]] = node.attribute[0].t

    def made(self, name: str, op: str, readers: int = 1) -> int | None:
        """Return the node that makes ``name`` if it is an ``op`` and has so many readers."""
        place = self.maker.get(name)
        if place is None or self.nodes[place].op_type != op or self.nodes[place].domain not in ("", "ai.onnx"):
            return None
        return place if len(self.readers.get(name, [])) == readers else None

    def constant(self, name: str) -> np.ndarray | None:
        """Return the value of a constant."""
        return numpy_helper.to_array(self.stored[name]) if name in self.stored else None

    def number(self, name: str) -> float | None:
        """Return the value of a constant that is one float32 number and adds no dimension to what it meets."""
        value = self.constant(name)
        is_one = value is not None and value.size == 1 and value.ndim <= 1 and value.dtype == np.float32
        return float(value.reshape(())) if value is not None and is_one else None


def _found(index: _Index, where: int) -> Found | None:
    """Return what a Where is the last step of."""
    condition, found, one = index.nodes[where].input
    greater, quotient = index.made(condition, "Greater"), index.made(found, "Div", readers=2)
    if greater is None or quotient is None or index.number(one) != 1:
        return None
    compared, zero = index.nodes[greater].input
    peak, divisor = index.nodes[quotient].input
    maximum, largest = index.number(divisor), index.made(peak, "ReduceMax")
    if compared != found or index.number(zero) != 0 or largest is None or maximum is None or not _is_maximum(maximum):
        return None
    size = index.made(index.nodes[largest].input[0], "Abs")
    axes = _axes(index, index.nodes[largest])
    if size is None or axes is None:
        return None
    x, scale = index.nodes[size].input[0], index.nodes[where].output[0]
    divided = next(_divided(index, x, scale), None)
    if divided is None:
        return None
    keepdims = next((int(item.i) for item in index.nodes[largest].attribute if item.name == "keepdims"), 1)
    node = helper.make_node(
        OP, [x], [index.nodes[divided].output[0], scale], name=index.nodes[divided].name, domain=DOMAIN,
        axes=axes, keepdims=keepdims, maximum=maximum,
    )  # fmt: skip
    return Found(node=node, members=(size, largest, quotient, greater, divided, where))


def _is_maximum(number: float) -> bool:
    """Whether integers end there: 127, 255, ..."""
    return number.is_integer() and 1 <= number <= LARGEST_MAXIMUM and not int(number) & (int(number) + 1)


def _axes(index: _Index, node: onnx.NodeProto) -> list[int] | None:
    """Return the dimensions that a ReduceMax reduces; None where they are not stated as constants."""
    attribute = next((list(item.ints) for item in node.attribute if item.name == "axes"), None)
    if attribute is not None or len(node.input) < 2:
        return attribute
    value = index.constant(node.input[1])
    return None if value is None else [int(axis) for axis in value.reshape(-1)]


def _divided(index: _Index, x: str, scale: str) -> Iterator[int]:
    """Yield the divisions of ``x`` by ``scale``."""
    for place in index.readers.get(scale, []):
        node = index.nodes[place] if place >= 0 else None
        if node is not None and node.op_type == "Div" and list(node.input) == [x, scale]:
            yield place
