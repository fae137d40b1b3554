"""How scales that change along k cut a product into segments.

A scale leaves the sum over k only where it is the same for all its terms: one per tensor, output channel, row or head
(``hwsim.graph.positions``). Where the ifmap, the weight or both have scales per
group of k, the sum falls into *segments*: the common refinement of both partitions. Each segment has one ifmap scale and, per
output column, one weight scale; its partial sum is rescaled and added (``hwsim.numerics.segments``). Channels of one segment
need not be neighbours: the array takes them in an order of its own, which costs a memory nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.graph.graph import Graph
from hwsim.graph.node import Node
from hwsim.graph.ops import OPS, Work
from hwsim.graph.positions import operand_axes
from hwsim.numerics.granularity import Granularity


@dataclass(frozen=True, slots=True, kw_only=True)
class KPartition:
    """The segments of one product along its k *channels*: input channels of a convolution's group, else k itself.

    Args:
        order: the channel at each place of the array's order; segments are runs in it.
        segments: channels of each segment, in that order.
        ifmap: which of the ifmap's scales each segment has.
        weight: which of the weight's scales along k each segment has.
    """

    order: tuple[int, ...]
    segments: tuple[int, ...]
    ifmap: tuple[int, ...]
    weight: tuple[int, ...]

    @property
    def is_whole(self) -> bool:
        """Whether one scale pair serves the whole sum."""
        return len(self.segments) == 1

    @property
    def is_ordered(self) -> bool:
        """Whether the array takes channels as they come."""
        return self.order == tuple(range(len(self.order)))


def k_partition(graph: Graph, node: Node) -> KPartition | None:
    """Return the segments of an array product; None where its scales leave no sum over k (or it is no product on grids)."""
    if OPS[node.op].work is not Work.GEMM:
        return None
    ifmap, weight = (graph.tensors[name] for name in node.inputs[:2])
    if ifmap.quant is None or weight.quant is None:
        return None
    channels = channels_of(node, weight.shape)
    rows = operand_axes(graph, node, 0)
    columns = operand_axes(graph, node, 1) if len(weight.shape) > 2 else None
    whole = np.zeros(channels, dtype=np.int64)
    own = whole if rows else _ifmap_groups(node, ifmap.quant.granularity, len(ifmap.shape), channels)
    other = whole if columns else _weight_groups(node, weight.quant.granularity, weight.shape, channels)
    if own is None or other is None or ((rows or columns) and (own.any() or other.any())):
        return None  # a segment's ratio would change with the row or the head
    pairs = np.stack([own, other])
    order = np.lexsort((pairs[1], pairs[0]))
    cuts = np.flatnonzero(np.any(np.diff(pairs[:, order], axis=1), axis=0)) + 1
    starts = np.concatenate([[0], cuts])
    first = pairs[:, order[starts]]
    return KPartition(
        order=tuple(order.tolist()),
        segments=tuple(np.diff([*starts, channels]).tolist()),
        ifmap=tuple(first[0].tolist()),
        weight=tuple(first[1].tolist()),
    )


def channels_of(node: Node, weight: tuple[int, ...]) -> int:
    """Return how many channels k is made of: input channels of one group of a convolution, else k."""
    if node.op == "Conv":
        return weight[1]
    if node.op == "ConvTranspose":
        return weight[0] // node.attributes["groups"]
    return weight[-2] if len(weight) > 1 else weight[0]


def _ifmap_groups(node: Node, grid: Granularity, rank: int, channels: int) -> np.ndarray | None:
    """Return the ifmap's scale index per channel; only groups of the channel axis leave sums."""
    if grid.axis is None:
        return np.zeros(channels, dtype=np.int64)
    is_window = node.op in ("Conv", "ConvTranspose")
    axis = 1 if is_window else rank - 1
    if grid.axis != axis or grid.by is not None or grid.block is not None:
        return None
    if is_window and node.attributes["groups"] != 1:
        return None
    return np.arange(channels) if grid.groups is None else np.asarray(grid.groups, dtype=np.int64)


def _weight_groups(node: Node, grid: Granularity, shape: tuple[int, ...], channels: int) -> np.ndarray | None:
    """Return the index of the weight's scale along k per channel; 0 where the scale is per tensor or per output channel."""
    if node.op == "ConvTranspose":
        whole = grid.axis is None or (grid.axis == 1 and node.attributes["groups"] == 1)
        return np.zeros(channels, dtype=np.int64) if whole and grid.block is None and grid.groups is None else None
    if len(shape) > 2 and node.op != "Conv":
        return np.zeros(channels, dtype=np.int64) if grid.axis is None else None
    out, along = (0, 1) if node.op == "Conv" else (1, 0)
    if grid.axis is None or (grid.axis == out and grid.block is None and grid.groups is None):
        return np.zeros(channels, dtype=np.int64)
    if grid.axis != along:
        return None
    if grid.groups is not None:
        return np.asarray(grid.groups, dtype=np.int64) if grid.by in (None, out) else None
    if grid.block is not None and all(size == 1 for size in shape[2:]):
        return np.arange(channels) // grid.block
    return None
