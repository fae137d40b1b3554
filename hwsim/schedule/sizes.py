"""What the tile sizes of one dimension mean for a search: folds, streams, pixels; once per size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.cost.array_cycles import exposed_cycles, fold_cycles
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.legal import largest_ifmap
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.tiles import cuts, ifmap_elements, k_parts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sizes:
    """Candidates along one dimension, int64 ``[candidates]`` each; sums are over all tiles of one group.

    Args:
        tile: sizes in elements.
        trips: tiles.
        folds: sum of folds (where the dimension runs in time: one per tile, or per part of k).
        stream: sum of the cycles of one fold, with what is exposed before it; 0 unless the dimension runs in time.
        scales: of one column that the tiles have together, each for itself; 0 but along k, where scales change.
    """

    tile: np.ndarray
    trips: np.ndarray
    folds: np.ndarray
    stream: np.ndarray
    scales: np.ndarray


def sizes_along(mapping: Mapping, dim: str, tiles: tuple[int, ...]) -> Sizes:
    """Return what cutting ``dim`` into ``tiles`` means on the array, no block around them."""
    array, mac, flow = mapping.array, mapping.mac, mapping.array.flow
    held = {flow.rows: mac.held(flow.rows, array.rows), flow.columns: mac.held(flow.columns, array.columns)}
    rows = []
    for tile in tiles:
        trips = len(cuts(mapping.gemm, dim, tile))
        sizes, scales = _runs(mapping.gemm, dim, tile)
        folds, stream = len(sizes), 0
        if dim in held:
            folds = int((-(-sizes // held[dim])).sum())
        else:
            cycles = mac.stream_cycles(dim, sizes)
            stream = int((least_cycles(mapping, cycles) + exposed_cycles(array, cycles, cycles)).sum())
        rows.append((tile, trips, folds, stream, scales))
    columns = np.array(rows, dtype=np.int64).T
    return Sizes(**dict(zip(("tile", "trips", "folds", "stream", "scales"), columns, strict=True)))


def _runs(gemm: Gemm, dim: str, tile: int) -> tuple[np.ndarray, int]:
    """Return the sizes that folds do not cross (tiles, along k their parts), and the scales of one column in them."""
    if dim != "k" or not gemm.has_scales:
        return np.array([size for _, size in cuts(gemm, dim, tile)]), 0
    parts = k_parts(gemm, tile)
    return np.array([part.size for part in parts]), sum(part.scales for part in parts)


def least_cycles(mapping: Mapping, stream: np.ndarray) -> np.ndarray:
    """Return ``fold_cycles`` without the wait for the end of a block of vectors, which a last fold need not."""
    block = mapping.array.stream_block
    return fold_cycles(mapping.array, stream) - (block - 1)


def ifmap_sizes(mapping: Mapping, tiles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (sum over tiles, largest) of ifmap elements per unit of k (a channel, or one), int64 ``[candidates]``."""
    gemm = mapping.gemm
    unit = gemm.window.taps if gemm.window else 1
    totals, largest = [], []
    for tile in tiles.tolist():
        starts, sizes = np.array(cuts(gemm, "m", tile)).T
        totals.append(int(ifmap_elements(gemm, starts, sizes, np.full(len(starts), unit)).sum()))
        largest.append(largest_ifmap(gemm, tile, unit))
    return np.array(totals), np.array(largest)
