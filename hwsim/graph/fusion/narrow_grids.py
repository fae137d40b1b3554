"""Grids of activations with fewer codes than the type that a file stores them in: a Clip in front of the quantizer tells.

ONNX quantizes to few widths. A file with 6-bit activations has a Clip to the real range of 6 bits before a QuantizeLinear to 8:
where both ends are exactly the ends of a narrower format on the same scale and zero point, that format is the grid's. Codes that
are only moved keep it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from hwsim.graph.graph import Graph
from hwsim.graph.grids import passes_grid
from hwsim.graph.node import Node
from hwsim.graph.ops import OPS, Work
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams


def narrow_grids(graph: Graph) -> Graph:
    """Return the graph with such grids; a Clip is dropped where no operator before it takes it as its clamp."""
    found: dict[str, QuantParams] = {}
    renamed: dict[str, str] = {}  # results of dropped Clips
    for node in graph.nodes:
        if node.op == "Quantize":
            clip = _clip_before(graph, node)
            grid = None if clip is None else _told(clip, graph.tensors[node.outputs[0]].quant)
            if clip is not None and grid is not None:
                found[node.outputs[0]] = grid
                if _stands_alone(graph, clip):
                    renamed[clip.outputs[0]] = clip.inputs[0]
        elif passes_grid(node):
            found |= _moved(graph, node, found)
    if not found:
        return graph
    nodes = [
        replace(node, inputs=tuple(renamed.get(name, name) for name in node.inputs))
        for node in graph.nodes
        if renamed.keys().isdisjoint(node.outputs)
    ]
    return graph.with_changes(
        nodes=nodes, tensors=[replace(graph.tensors[name], quant=grid) for name, grid in found.items()]
    )


def _clip_before(graph: Graph, node: Node) -> Node | None:
    """Return the Clip whose only reader is ``node``."""
    clip = graph.producer_of.get(node.inputs[0])
    if clip is None or clip.op != "Clip" or clip.outputs[0] in graph.outputs:
        return None
    return clip if len(graph.consumers_of[clip.outputs[0]]) == 1 else None


def _stands_alone(graph: Graph, clip: Node) -> bool:
    """Whether what comes before the Clip takes no clamp: an input, a table, float32 work."""
    before = graph.producer_of.get(clip.inputs[0])
    return before is None or (OPS[before.op].work in (Work.FLOAT, Work.TABLE) and before.op not in ("Relu", "Clip"))


def _moved(graph: Graph, node: Node, found: Mapping[str, QuantParams]) -> dict[str, QuantParams]:
    """Return the grids of moved codes: those of all operands, if they are one grid."""
    coded = [name for name in node.inputs if name and graph.tensors[name].quant is not None]
    narrow = {found.get(name) for name in coded}
    grid = narrow.pop() if len(narrow) == 1 else None
    before = graph.tensors[node.inputs[0]].quant
    return {} if grid is None else {name: grid for name in node.outputs if graph.tensors[name].quant == before}


def _told(clip: Node, grid: QuantParams | None) -> QuantParams | None:
    """Return the grid whose ends a Clip has, if it has fewer codes than ``grid``."""
    ends = clip.attributes["minimum"], clip.attributes["maximum"]
    if grid is None or not isinstance(grid.format, IntFormat) or grid.granularity.axis is not None or None in ends:
        return None
    if not grid.is_calibrated:
        return None
    wanted = np.array(ends, dtype=np.float32)
    for number in _narrower(grid.format):
        codes = np.array([number.minimum, number.maximum], dtype=np.int64)
        if number.contains(grid.zero_point[0]) and np.array_equal(grid.decode(codes), wanted):
            return replace(grid, format=number)
    return None


def _narrower(number: IntFormat) -> Iterator[IntFormat]:
    for bits in range(1, number.bits + 1):
        if bits < number.bits:
            yield IntFormat(bits=bits, signed=number.signed)
        if number.signed and bits > 1 and not (bits == number.bits and number.narrow):
            yield IntFormat(bits=bits, narrow=True)
