"""The passes of a mapped product through the array, in order: what the array holds, and what streams through it.

One *pass* is one filling of the array: ``rows x columns`` of the two dimensions that the dataflow unrolls, and all of a
tile's third dimension in time; along k it is a fold, which ends where a segment of scales ends. Images and groups follow one
another; their tiles are visited in the mapping's order, k innermost; inside a tile the blocks along the array's columns are
outermost and those along its rows innermost, so that a weight-stationary array completes the folds along k of one column
block before the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, product

import numpy as np

from hwsim.mapping.mapping import Mapping
from hwsim.mapping.visits import visits_of
from hwsim.simulation.vectors.region import Region

FIELDS = ("group", "m_start", "m_size", "k_start", "k_size", "n_start", "n_size", "fold", "stream_start")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One filling of the array; starts count in the whole product, k in the array's order.

    Args:
        group: which product.
        m, k, n: (start, size) of what meets.
        fold: index of the k segment; fold 0 starts an accumulation, the last one ends it.
        stream_start: vectors streamed by all passes before.
    """

    group: int
    m: Span
    k: Span
    n: Span
    fold: int
    stream_start: int

    def span(self, dim: str) -> Span:
        """Return (start, size) along ``dim``."""
        return {"m": self.m, "k": self.k, "n": self.n}[dim]

    def fields(self) -> tuple[int, ...]:
        """Return the numbers that ``FIELDS`` names."""
        return (self.group, *self.m, *self.k, *self.n, self.fold, self.stream_start)


def passes_of(mapping: Mapping, region: Region) -> Iterator[Pass]:
    """Yield the passes of ``region`` in the order in which the array executes them."""
    array = mapping.array
    flow = array.flow
    block = {flow.rows: array.rows, flow.columns: array.columns}
    folds = list(zip(accumulate((0, *mapping.k_segments[:-1])), mapping.k_segments, strict=True))
    fold_of = {start: fold for fold, (start, _) in enumerate(folds)}
    streamed = 0
    for group, tile in _visits(mapping, region):
        spans = {dim: list(_blocks(*tile[dim], block.get(dim))) for dim in "mn"}
        start, size = tile["k"]
        spans["k"] = [fold for fold in folds if start <= fold[0] < start + size]
        for column, row, time in product(spans[flow.columns], spans[flow.rows], spans[flow.time]):
            at = {flow.columns: column, flow.rows: row, flow.time: time}
            yield Pass(group=group, m=at["m"], k=at["k"], n=at["n"], fold=fold_of[at["k"][0]], stream_start=streamed)
            streamed += time[1]


def table(passes: list[Pass]) -> np.ndarray:
    """Return the passes as int64 ``[passes, len(FIELDS)]``."""
    return np.array([one.fields() for one in passes], np.int64).reshape(-1, len(FIELDS))


def _visits(mapping: Mapping, region: Region) -> Iterator[tuple[int, dict[str, Span]]]:
    """Yield (group, tile) image by image, group by group, tile by tile; groups that share the array one by one."""
    one = replace(mapping, groups_together=1, groups_in_array=1)
    visits = visits_of(one, max((block.level for block in mapping.blocks), default=1))
    count = len(visits.k) // mapping.gemm.groups
    starts, sizes = (
        np.stack([of_m[0, :count], of_k[:count], of_n[0, :count]], axis=1).tolist()
        for of_m, of_k, of_n in (
            (visits.m_start, visits.k_start, visits.n_start),
            (visits.m, visits.k, visits.n),
        )
    )
    for image in range(-(-region.m // mapping.gemm.m)):
        for group in range(region.groups):
            for start, size in zip(starts, sizes, strict=True):
                tile = {"m": (start[0] + image * mapping.gemm.m, size[0])}
                tile |= {"k": (start[1], size[1]), "n": (start[2], size[2])}
                inside = {
                    dim: (at, min(length, getattr(region, dim) - at) if dim != "k" else length)
                    for dim, (at, length) in tile.items()
                }
                if all(length > 0 for _, length in inside.values()):
                    yield group, inside


def _blocks(start: int, size: int, block: int | None) -> Iterator[Span]:
    """Yield (start, size) of the blocks of a tile; one where the dimension runs in time."""
    step = block or size
    for at in range(start, start + size, step):
        yield at, min(step, start + size - at)
