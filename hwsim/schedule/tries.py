"""The legal mappings of one GEMM, with a lower bound of what each counts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.datapath import Datapath
from hwsim.kernels.timing import BLOCK, COUNTS, TILING
from hwsim.mapping.candidates import Candidates, block_candidates, candidates, group_candidates
from hwsim.mapping.check import ORDERS, most_groups_in_array
from hwsim.mapping.legal import fits, memory_bytes, resident_in, tile_bytes
from hwsim.mapping.mapping import Block, Mapping
from hwsim.mapping.tiles import most_scales
from hwsim.schedule.bound import Bounds, lower_bounds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tries:
    """Legal mappings.

    Args:
        whole: the mapping of one tile, whose other fields hold for all.
        nests: blocks to choose from.
        tilings: records of ``TILING`` ``[tilings]``.
        bounds: float64 ``[tilings, COUNTS]``.
        blocks: records of ``BLOCK`` ``[nests, levels - 1]``.
        inside: bool ``[nests, tilings]``: whether a tile lies within the innermost block.
    """

    whole: Mapping
    nests: list[tuple[Block, ...]]
    tilings: np.ndarray
    bounds: np.ndarray
    blocks: np.ndarray
    inside: np.ndarray

    def mapping(self, nest: int, tile: int) -> Mapping:
        """Return the mapping of one tiling in one nest of blocks."""
        tiling = self.tilings[tile]
        return replace(
            self.whole,
            tile_m=int(tiling["m"]),
            tile_k=int(tiling["k"]),
            tile_n=int(tiling["n"]),
            order=ORDERS[int(tiling["n_outermost"])],
            blocks=self.nests[nest],
            groups_together=int(tiling["groups_together"]),
            groups_in_array=int(tiling["groups_in_array"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Room:
    """What tiles may take.

    Args:
        accelerator: the machine.
        datapath: says how wide accumulators and scales are.
        reserved_bytes: of the memory in which activations stay between layers, taken by them.
        max_steps: mappings of more steps are not tried.
    """

    accelerator: Accelerator
    datapath: Datapath
    reserved_bytes: int
    max_steps: int

    @property
    def reserved(self) -> dict[str, int]:
        """Bytes taken by memory name."""
        return {self.accelerator.resident_memory.name: self.reserved_bytes}

    @property
    def levels(self) -> int:
        """Levels of memory."""
        return max(memory.level for memory in self.accelerator.memory)


def tries_of(
    whole: Mapping, accelerator: Accelerator, datapath: Datapath, reserved_bytes: int, max_steps: int
) -> Tries:
    """Return every candidate that fits beside ``reserved_bytes`` of resident activations, in at most ``max_steps`` steps."""
    gemm = whole.gemm
    room = Room(
        accelerator=accelerator,
        datapath=datapath,
        reserved_bytes=reserved_bytes,
        max_steps=max_steps,
    )
    sizes = candidates(gemm, whole.array, whole.mac)
    smallest = replace(whole, tile_m=sizes.m[0], tile_k=sizes.k[0], tile_n=sizes.n[0])
    nests = [nest for nest in block_candidates(gemm, room.levels) if not nest or _holds(smallest, nest, room)]
    blocks = np.zeros((len(nests), max(room.levels - 1, 1)), BLOCK)
    for row, nest in zip(blocks, nests, strict=True):
        for block in nest:
            row[block.level - 2] = (block.m, block.n, ORDERS.index(block.order))
    bounds = lower_bounds(whole, accelerator, datapath, sizes)
    tilings, least = _tiles(whole, sizes, bounds, room)
    groups = _groups(whole, room)
    tilings = np.concatenate([tilings, groups])
    inside = np.ones((len(nests), len(tilings)), dtype=bool)
    if room.levels > 1:
        inside = (tilings["m"] <= blocks["m"][:, :1]) & (tilings["n"] <= blocks["n"][:, :1])
    return Tries(
        whole=whole,
        nests=nests,
        tilings=tilings,
        bounds=np.concatenate([least, np.zeros((len(groups), COUNTS))]),
        blocks=blocks,
        inside=inside,
    )


def _holds(smallest: Mapping, nest: tuple[Block, ...], room: Room) -> bool:
    """Return whether a nest of blocks fits the memories behind the first level, and holds a tile."""
    if nest[-1].m < smallest.tile_m or nest[-1].n < smallest.tile_n:
        return False
    needed = memory_bytes(replace(smallest, blocks=nest), room.accelerator, room.datapath)
    return all(
        needed[memory.name] + room.reserved.get(memory.name, 0) <= memory.size_bytes
        for memory in room.accelerator.memory
        if memory.level > 1
    )


def _tiles(whole: Mapping, sizes: Candidates, bounds: Bounds, room: Room) -> tuple[np.ndarray, np.ndarray]:
    """Return (tilings, bounds) of every legal combination of tile sizes and order."""
    gemm = whole.gemm
    m, k, n = (np.array(getattr(sizes, dim)) for dim in "mkn")
    tile = (m[:, None, None], k[:, None], n)
    pixels = bounds.largest[:, None, None] * (k // (gemm.window.taps if gemm.window else 1))[:, None]
    scales = np.array([most_scales(gemm, size) for size in sizes.k])[:, None]
    legal = bounds.trips * gemm.groups <= room.max_steps
    for memory in room.accelerator.memory:
        if memory.level == 1:
            resident = resident_in(whole, room.accelerator, memory)
            needed = tile_bytes(whole, memory, tile, pixels, scales, room.datapath, resident)
            legal = legal & (needed <= memory.size_bytes - room.reserved.get(memory.name, 0))
    at = np.argwhere(np.broadcast_to(legal, (len(ORDERS), *legal.shape)))
    tilings = np.zeros(len(at), TILING)
    tilings["n_outermost"] = at[:, 0]
    tilings["m"], tilings["k"], tilings["n"] = m[at[:, 1]], k[at[:, 2]], n[at[:, 3]]
    tilings["groups_together"] = tilings["groups_in_array"] = 1
    return tilings, bounds.counts[tuple(at.T)]


def _groups(whole: Mapping, room: Room) -> np.ndarray:
    """Return the tilings in which several whole groups travel together; only with one level of memory.

    They have no bound: there are few, and all are evaluated.
    """
    if room.levels > 1:
        return np.zeros(0, TILING)
    gemm, found = whole.gemm, []
    for together, shared in group_candidates(gemm, most_groups_in_array(whole)):
        mapping = replace(whole, groups_together=together, groups_in_array=shared)
        if together > 1 and fits(mapping, room.accelerator, room.datapath, room.reserved):
            found.append((gemm.m, gemm.k, gemm.n, 0, together, shared, 0))
    return np.array(found, dtype=TILING)
