"""What becomes of a grid when an operator moves codes: scales per channel follow their axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any, Literal

import numpy as np

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
    return grid if _keeps_axis(node, grid.granularity.axis) and grid.granularity.block is None else "lost"


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
    axis, block = grid.granularity.axis, grid.granularity.block
    if axis is None:
        return grid
    granularity = Granularity(axis=permutation.index(axis), block=block)
    if block is None:
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
    axis, block = grid.granularity.axis, grid.granularity.block
    if axis is None:
        return grid
    outer = prod(before[:axis])
    for place, size in enumerate(after):
        if prod(after[:place]) == outer and size == before[axis]:
            return replace(grid, granularity=Granularity(axis=place, block=block))
    return None
