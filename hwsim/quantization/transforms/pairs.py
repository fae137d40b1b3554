"""Edges between weights whose channels can be scaled for nothing: what equalization and imbalance work on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hwsim.errors import GraphError
from hwsim.graph import Graph
from hwsim.quantization.transforms.draft import Draft
from hwsim.quantization.transforms.region import Region, region_of
from hwsim.quantization.transforms.rules import EXACT, GEMMS, Kind, Reach, is_depthwise
from hwsim.quantization.transforms.weight_ranges import weight_columns, weight_rows


def scalable_regions(graph: Graph, reach: Reach = EXACT) -> tuple[Region, ...]:
    """Return the regions from weights to weights whose scale is absorbed entirely, in the order of the graph."""
    found: list[Region] = []
    seen: set[str] = set()
    for node in graph.nodes:
        edge = node.outputs[0]
        if node.op not in GEMMS or edge in seen:
            continue
        try:
            region = region_of(graph, edge, Kind.SCALE, reach=reach)
        except GraphError:  # tied branches that are turned against each other: no scale serves both
            continue
        seen |= region.tensors.keys()
        ends = [name for name, _ in (*region.producers, *region.readers)]
        if region.is_free and region.readers and all(graph.node_of[name].op in GEMMS for name in ends):
            found.append(region)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Chain:
    """Regions one behind the other with nothing but a depthwise convolution between them: their channels are the same.

    A pair of layers is a chain of one region; convolution, depthwise convolution, convolution is one of two.
    """

    regions: tuple[Region, ...]

    def ranges(self, draft: Draft) -> np.ndarray:
        """Return the largest weight per layer and channel, float64 ``[regions + 1, channels]``."""
        first = _merged([weight_rows(draft.nodes[name], _weight(draft, name)) for name, _ in self.regions[0].producers])
        return np.stack([first, *(_columns(draft, region) for region in self.regions)])


def chains(graph: Graph, regions: Sequence[Region]) -> tuple[Chain, ...]:
    """Return the regions joined at depthwise convolutions; every region is in one chain."""
    behind: dict[int, Region] = {}
    starts = {name: region for region in regions if len(region.producers) == 1 for name, _ in region.producers}
    for region in regions:
        reader = region.readers[0][0]
        if len(region.readers) == 1 and reader in starts and is_depthwise(graph, graph.node_of[reader]):
            behind[id(region)] = starts[reader]
    later = {id(region) for region in behind.values()}

    def run(region: Region) -> Iterator[Region]:
        yield region
        while (following := behind.get(id(region))) is not None:
            region = following
            yield region

    return tuple(Chain(tuple(run(region))) for region in regions if id(region) not in later)


def _columns(draft: Draft, region: Region) -> np.ndarray:
    """Return the largest weight that meets each channel of a region; elements of a flattened image count as their channel."""
    found = []
    for name, tensor in region.readers:
        columns = weight_columns(draft.nodes[name], _weight(draft, name))
        found.append(columns.reshape(-1, region.tensors[tensor].inner).max(axis=1))
    return _merged(found)


def _merged(ranges: list[np.ndarray]) -> np.ndarray:
    return np.max(np.stack(ranges), axis=0)


def _weight(draft: Draft, name: str) -> np.ndarray:
    return draft.data(draft.nodes[name].inputs[1])
