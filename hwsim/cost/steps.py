"""What every step of a mapping moves over every link, and what it computes.

Residency is single: an operand's tile (or block, behind the first level) is loaded when it differs from the one of the step
before. k is innermost, so partial sums stay next to the array, and a result leaves once, after the last k tile; it leaves a
block's memory when the block is done. Scales of segments lie beside the tile's weights and move with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hwsim.cost.links import Link, load_links, store_links
from hwsim.hardware.accelerator import Accelerator
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.tiles import ifmap_elements
from hwsim.mapping.visits import Visits, visits_of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moves:
    """What passes one link.

    Args:
        link: the way.
        elements: int64 ``[steps]``: before the step of a load, after the step of a store; 0 where nothing moves.
        runs: contiguous runs of memory in them, int64 ``[steps]``.
        scales: of segments that move beside weights, int64 ``[steps]``.
    """

    link: Link
    elements: np.ndarray
    runs: np.ndarray
    scales: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """The steps as the array sees them: the parts of each tile along k, one after the other; int64 ``[parts]`` each.

    Args:
        step: that the part belongs to.
        m, k, n: sizes of the part in one group.
        scales: of one column that the part has.
        first: int64 ``[steps]``: the first part of each step.
    """

    step: np.ndarray
    m: np.ndarray
    k: np.ndarray
    n: np.ndarray
    scales: np.ndarray
    first: np.ndarray

    def sizes(self) -> dict[str, np.ndarray]:
        """Return the sizes by dimension letter."""
        return {"m": self.m, "k": self.k, "n": self.n}

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Return the sums over the parts of each step of ``values [parts]``."""
        sums: np.ndarray = np.add.reduceat(values, self.first)
        return sums


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Steps:
    """All steps of one layer, all groups; arrays are int64 ``[steps]``.

    Args:
        m, k, n: sizes of the step's tile in one group.
        groups: groups computed in the step.
        parts: what the array computes of each step.
        finishes: whether the step ends the tile's k, so that results leave the array's memories.
        loads: by operand (weight, then ifmap) the links from the outermost inwards.
        stores: the ofmap's links outwards.
    """

    m: np.ndarray
    k: np.ndarray
    n: np.ndarray
    groups: np.ndarray
    parts: Parts
    finishes: np.ndarray
    loads: dict[str, tuple[Moves, ...]]
    stores: tuple[Moves, ...]

    @property
    def outputs(self) -> np.ndarray:
        """Results that leave the array in each step."""
        return np.where(self.finishes, self.m * self.n * self.groups, 0)

    def sizes(self) -> dict[str, np.ndarray]:
        """Return the tile sizes by dimension letter."""
        return {"m": self.m, "k": self.k, "n": self.n}


@lru_cache(maxsize=32)
def steps_of(mapping: Mapping, accelerator: Accelerator) -> Steps:
    """Return the steps of the mapping's GEMM on the machine's memories, in order."""
    levels = max(memory.level for memory in accelerator.memory)
    visits = visits_of(mapping, levels)
    gemm = mapping.gemm
    return Steps(
        **visits.sizes(),
        groups=visits.groups,
        parts=_parts(mapping, visits),
        finishes=visits.k_start + visits.k == gemm.k,
        loads={
            operand: tuple(_loads(mapping, visits, link) for link in load_links(accelerator, mapping, operand))
            for operand in ("weight", "ifmap")
        },
        stores=tuple(_stores(gemm, visits, link) for link in store_links(accelerator, mapping)),
    )


def _parts(mapping: Mapping, visits: Visits) -> Parts:
    tile, start, size, scales = np.array([(p.tile, p.start, p.size, p.scales) for p in mapping.k_parts], np.int64).T
    begins = np.flatnonzero(np.diff(tile, prepend=-1))  # the first part of each tile
    of_step = np.searchsorted(start[begins], visits.k_start)
    counts = np.bincount(tile)[of_step]
    first = np.cumsum(counts) - counts
    step = np.repeat(np.arange(len(counts)), counts)
    part = np.arange(len(step)) - first[step] + begins[of_step][step]
    return Parts(
        step=step, m=visits.m[0][step], k=size[part], n=visits.n[0][step], scales=scales[part], first=first
    )  # fmt: skip


def _loads(mapping: Mapping, visits: Visits, link: Link) -> Moves:
    gemm, i = mapping.gemm, link.level - 1
    k_start, k = (visits.k_start, visits.k) if i == 0 else (np.zeros_like(visits.k), np.full_like(visits.k, gemm.k))
    if link.operand == "ifmap":
        changes = _changes(visits.group, visits.m_start[i], k_start)
        elements = ifmap_elements(gemm, visits.m_start[i], visits.m[i], k)
        runs = ifmap_runs(gemm, visits.m_start[i], visits.m[i], k, visits.groups)
        scales = np.zeros_like(k)
    else:
        changes = _changes(visits.group, visits.n_start[i], k_start)
        kept = mapping.mac.kept(k)
        elements = kept * visits.n[i]
        in_rows = gemm.weight_is_activation & (visits.n[i] < gemm.n)
        runs = np.where(in_rows, kept, 1) * visits.groups
        scales = _scales(mapping, visits, i)
    return Moves(
        link=link,
        elements=np.where(changes, elements * visits.groups, 0),
        runs=runs,
        scales=np.where(changes, scales * visits.groups, 0),
    )


def _scales(mapping: Mapping, visits: Visits, level: int) -> np.ndarray:
    """Return the scales of one group beside the weights of a tile (``level`` 0), or of a block with the whole of k."""
    gemm = mapping.gemm
    if not gemm.has_scales:
        return np.zeros_like(visits.k)
    parts = _parts(mapping, visits)
    along = parts.sum(parts.scales) if level == 0 else np.full_like(visits.k, len(gemm.segments))
    return along if gemm.shares_scales else along * visits.n[level]


def _stores(gemm: Gemm, visits: Visits, link: Link) -> Moves:
    i = link.level - 1
    last = np.ones(len(visits.k), dtype=bool)
    last[:-1] = _changes(visits.group, visits.m_start[i], visits.n_start[i])[1:]
    elements = visits.m[i] * visits.n[i] * visits.groups
    runs = ofmap_runs(gemm, visits.m[i], visits.n[i], visits.groups)
    return Moves(link=link, elements=np.where(last, elements, 0), runs=runs, scales=np.zeros_like(elements))


def ifmap_runs(gemm: Gemm, m_start: np.ndarray, m: np.ndarray, k: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return the contiguous runs of memory in the ifmap tiles of ``groups`` groups that travel together.

    Matrices lie one after the other, row by row. Images lie with the channels of all groups innermost: where a tile takes
    all of them, its rows of an image are one run, else every pixel is one. Channels lie in the order in which the array
    takes them: whoever writes the tensor writes it so.
    """
    window = gemm.window
    if window is None:
        return np.where(k < gemm.k, m * groups, 1)
    images = np.maximum(m // window.image, 1)
    pixels = ifmap_elements(gemm, m_start, m, np.full_like(k, window.taps))
    return np.where((k < gemm.k) | (groups < gemm.groups), pixels, images)


def ofmap_runs(gemm: Gemm, m: np.ndarray, n: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return the contiguous runs of memory in the ofmap tiles of ``groups`` groups; laid out as ``ifmap_runs`` says."""
    if gemm.window is None:
        return np.where(n < gemm.n, m * groups, 1)
    return np.where((n < gemm.n) | (groups < gemm.groups), m, 1)


def _changes(*starts: np.ndarray) -> np.ndarray:
    changed = np.ones(starts[0].size, dtype=bool)
    changed[1:] = np.any([np.diff(start) != 0 for start in starts], axis=0)
    return changed
