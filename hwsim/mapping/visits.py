"""The tiles of a mapping in the order in which they are visited."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hwsim.mapping.mapping import Block, Mapping
from hwsim.mapping.tiles import cuts

Span = tuple[int, int]  # start, size


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Visits:
    """One step for every visited tile, int64 ``[steps]`` each; starts and sizes are in elements of a group's product.

    Args:
        group, groups: first group of the step, and how many are in it.
        k_start, k: the tile along k.
        m_start, m, n_start, n: ``[levels, steps]``: row 0 is the tile, the rows behind it the blocks around it, from
            level 2 outwards.
    """

    group: np.ndarray
    groups: np.ndarray
    k_start: np.ndarray
    k: np.ndarray
    m_start: np.ndarray
    m: np.ndarray
    n_start: np.ndarray
    n: np.ndarray

    def sizes(self) -> dict[str, np.ndarray]:
        """Return the tile sizes by dimension letter."""
        return {"m": self.m[0], "k": self.k, "n": self.n[0]}


@lru_cache(maxsize=32)
def visits_of(mapping: Mapping, levels: int) -> Visits:
    """Return the steps of all groups, in order.

    Args:
        mapping: the mapping.
        levels: levels of memory on the machine; those without a block hold everything.
    """
    gemm = mapping.gemm
    blocks = {block.level: block for block in mapping.blocks}
    whole = (gemm.m, gemm.n)
    outer = [blocks.get(level, Block(level=level, m=whole[0], n=whole[1])) for level in range(levels, 1, -1)]
    one = list(_places(mapping, outer, (0, gemm.m), (0, gemm.n)))
    together = mapping.groups_together
    groups = [(first, min(together, gemm.groups - first)) for first in range(0, gemm.groups, together)]
    table = np.array(one, dtype=np.int64).reshape(len(one), -1)
    columns = np.tile(table, (len(groups), 1)).T
    of_group = np.repeat(np.array(groups, dtype=np.int64), len(one), axis=0).T
    nested = columns[2:].reshape(levels, 4, -1)
    return Visits(
        group=of_group[0], groups=of_group[1], k_start=columns[0], k=columns[1],
        m_start=nested[:, 0], m=nested[:, 1], n_start=nested[:, 2], n=nested[:, 3],
    )  # fmt: skip


def _places(mapping: Mapping, outer: list[Block], m: Span, n: Span) -> Iterator[tuple[int, ...]]:
    """Yield (k, tile m and n, then the blocks around it from the inside out) as starts and sizes."""
    if outer:
        first = outer[0]
        for one_m, one_n in _ordered(mapping, first.order, (m, n), (first.m, first.n)):
            for place in _places(mapping, outer[1:], one_m, one_n):
                yield (*place, *one_m, *one_n)
        return
    k_cuts = cuts(mapping.gemm, "k", mapping.tile_k)
    for one_m, one_n in _ordered(mapping, mapping.order, (m, n), (mapping.tile_m, mapping.tile_n)):
        for k in k_cuts:
            yield (*k, *one_m, *one_n)


def _ordered(
    mapping: Mapping, order: str, around: tuple[Span, Span], sizes: tuple[int, int]
) -> Iterator[tuple[Span, Span]]:
    gemm = mapping.gemm
    ms, ns = (
        cuts(gemm, dim, size, start, start + length)
        for dim, (start, length), size in zip("mn", around, sizes, strict=True)
    )
    if order[0] == "m":
        yield from ((m, n) for m in ms for n in ns)
    else:
        yield from ((m, n) for n in ns for m in ms)
