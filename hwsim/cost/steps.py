"""The tiles of a mapping as a sequence of steps: what each loads, computes and stores.

Residency is single: an operand's tile is loaded when its indices differ from the step before. k is innermost, so partial
sums stay on chip and outputs are stored once, after the last k tile.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hwsim.mapping.mapping import Mapping
from hwsim.mapping.tiles import cuts, ifmap_tile_elements


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Steps:
    """Arrays over the steps of one group, int64 ``[steps]``.

    Args:
        m, k, n: sizes of the step's tile.
        ifmap, weight: elements loaded from DRAM before the step (0 where the tile stays).
        ofmap: elements stored to DRAM after the step (0 before the last k tile).
    """

    m: np.ndarray
    k: np.ndarray
    n: np.ndarray
    ifmap: np.ndarray
    weight: np.ndarray
    ofmap: np.ndarray

    def sizes(self) -> dict[str, np.ndarray]:
        """Return the tile sizes by dimension letter."""
        return {"m": self.m, "k": self.k, "n": self.n}


@lru_cache(maxsize=32)
def steps_of(mapping: Mapping) -> Steps:
    """Return the steps of one group of the mapping's GEMM, in order."""
    gemm = mapping.gemm
    sizes = {dim: cuts(gemm, dim, getattr(mapping, f"tile_{dim}"))[1] for dim in "mkn"}
    outer, inner = mapping.order[0], mapping.order[1]
    trips = (len(sizes[outer]), len(sizes[inner]), len(sizes["k"]))
    index = dict(zip((outer, inner, "k"), (grid.reshape(-1) for grid in np.indices(trips)), strict=True))
    loaded = ifmap_tile_elements(gemm, mapping.tile_m, sizes["k"])
    m, k, n = (sizes[dim][index[dim]] for dim in "mkn")
    return Steps(
        m=m,
        k=k,
        n=n,
        ifmap=np.where(_changes(index["m"], index["k"]), loaded[index["m"], index["k"]], 0),
        weight=np.where(_changes(index["k"], index["n"]), k * n, 0),
        ofmap=np.where(index["k"] == trips[2] - 1, m * n, 0),
    )


def _changes(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    changed = np.ones(first.size, dtype=bool)
    changed[1:] = (np.diff(first) != 0) | (np.diff(second) != 0)
    return changed
