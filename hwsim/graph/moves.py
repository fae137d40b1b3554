"""What becomes of a grid when an operator moves codes: scales per channel follow their axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any, Literal

import numpy as np

from hwsim.graph.graph import Graph
from hwsim.graph.grids import passes_grid
from hwsim.graph.node import Node
from hwsim.numerics.granularity import Granularity
from hwsim.numerics.quant_params import QuantParams

Shape = tuple[int, ...]
_WITHIN_CHANNELS = {"MaxPool", "GlobalMaxPool", "Resize"}  # they select inside of a channel: axes 0 and 1 stay


def moved_grid(
    op: str, attributes: Mapping[str, Any], grid: QuantParams | None, before: Shape, after: Shape
) -> QuantParams | Literal["lost"] | None:
    """Return the grid of an operator's results.

    Args:
        op: a row of OPS.
        attributes: of the node.
        grid: of its first input.
        before: shape of that input.
        after: shape of the first result.

    Returns:
        None where the result has none of the input's; "lost" where codes are moved so that no grid describes them.
    """
    node = Node(name=op, op=op, inputs=("x",), outputs=("y",), attributes=attributes)
    if grid is None or not passes_grid(node):
        return None
    if grid.granularity.axis is None or op == "Identity":
        return grid
    if op == "Transpose":
        return transposed(grid, attributes["permutation"], before)
    if op in ("Reshape", "Flatten", "Squeeze", "Unsqueeze"):
        return reshaped(grid, before, after) or "lost"
    axis, is_plain = grid.granularity.axis, grid.granularity.block is None and grid.granularity.by is None
    return grid if is_plain and _keeps_axis(node, axis) else "lost"


def moves_codes(graph: Graph, node: Node) -> bool:
    """Whether the results' codes are codes of the first input: their grid still describes them where they end.

    Where scales change along an axis that is cut, merged or padded, codes are decoded, moved and encoded instead.
    """
    source = graph.tensors[node.inputs[0]]
    if not passes_grid(node) or source.quant is None or source.quant.granularity.axis is None:
        return passes_grid(node)
    if node.op == "Pad" and node.attributes["mode"] == "constant" and len(set(source.quant.zero_point)) > 1:
        return False  # each channel has a code of its own for 0
    results = [graph.tensors[name] for name in node.outputs]
    return all(moved_grid(node.op, node.attributes, source.quant, source.shape, y.shape) == y.quant for y in results)


def _keeps_axis(node: Node, axis: int) -> bool:
    if node.op in _WITHIN_CHANNELS:
        return axis < 2
    if node.op == "Pad":
        return tuple(node.attributes["pads"][axis]) == (0, 0)
    if node.op == "Slice":
        return axis not in node.attributes["axes"]
    if node.op == "Split":
        return bool(axis != node.attributes["axis"])
    if node.op == "Gather":
        return bool(axis < node.attributes["axis"])
    return False


def transposed(grid: QuantParams, permutation: tuple[int, ...], shape: Shape) -> QuantParams:
    """Return the grid of transposed codes.

    >>> from hwsim.numerics.formats import IntFormat
    >>> rows = QuantParams(format=IntFormat(bits=4), scale=(1.0, 2.0), zero_point=(0, 0), granularity=Granularity(axis=0))
    >>> transposed(rows, (1, 0), (2, 5)).granularity.axis
    1
    """
    axis, by = grid.granularity.axis, grid.granularity.by
    if axis is None:
        return grid
    granularity = replace(
        grid.granularity, axis=permutation.index(axis), by=None if by is None else permutation.index(by)
    )
    if granularity.block is None:
        return replace(grid, granularity=granularity)
    places = np.arange(len(grid.zero_point)).reshape(grid.granularity.scale_shape(shape))
    return _reordered(grid, places.transpose(permutation).reshape(-1), granularity)


def _reordered(grid: QuantParams, places: np.ndarray, granularity: Granularity) -> QuantParams:
    assert grid.scale is not None
    return replace(
        grid,
        scale=tuple(grid.scale[place] for place in places),
        zero_point=tuple(grid.zero_point[place] for place in places),
        granularity=granularity,
    )


def reshaped(grid: QuantParams, before: Shape, after: Shape) -> QuantParams | None:
    """Return the grid of reshaped codes, or None where an axis with scales of its own is cut or merged.

    >>> from hwsim.numerics.formats import IntFormat
    >>> rows = QuantParams(format=IntFormat(bits=4), scale=(1.0, 2.0), zero_point=(0, 0), granularity=Granularity(axis=0))
    >>> reshaped(rows, (2, 6), (1, 2, 3, 2)).granularity.axis, reshaped(rows, (2, 6), (12,))
    (1, None)
    """
    axis, by = grid.granularity.axis, grid.granularity.by
    if axis is None:
        return grid
    places = [_place(index, before, after) for index in ((axis,) if by is None else (axis, by))]
    if None in places or len(set(places)) != len(places):
        return None
    granularity = replace(grid.granularity, axis=places[0], by=places[-1] if by is not None else None)
    return replace(grid, granularity=granularity)


def _place(axis: int, before: Shape, after: Shape) -> int | None:
    """Return where an axis stands after a reshape that neither cuts nor merges it; None where none does."""
    outer = prod(before[:axis])
    for place, size in enumerate(after):
        if prod(after[:place]) == outer and size == before[axis]:
            return place
    return None
