"""Choose the tiles of one GEMM: the legal candidate with the fewest cycles, and of those the least DRAM traffic.

Branch and bound: candidates are taken in the order of a lower bound of their cycles and evaluated exactly until no bound
is below the best found. A tiling that is legal at some width is legal at every smaller one and not slower there, so the
chosen latency never rises when a width falls.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from hwsim.cost.array_layer import array_cycles, dram_bits
from hwsim.errors import MappingError
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.datapath import Datapath
from hwsim.hardware.parts import SystolicArray
from hwsim.mapping.candidates import Candidates, candidates
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.legal import fits, ifmap_total_elements, memory_bytes, tile_bits
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import register_bits

ORDERS = ("mnk", "nmk")


@lru_cache(maxsize=4096)
def choose_mapping(gemm: Gemm, accelerator: Accelerator, datapath: Datapath) -> Mapping:
    """Return the best mapping of ``gemm`` among ``hwsim.mapping.candidates``.

    Raises:
        MappingError: not even the smallest tile fits the on-chip memories.
    """
    array = accelerator.array
    every = candidates(gemm, array.rows, array.columns)
    psum_bits = register_bits(datapath.accumulator, gemm, gemm.k)
    legal = fits(accelerator, tile_bits(gemm, every.m, every.k, every.n, psum_bits))
    if not legal.any():
        raise MappingError(_too_small(gemm, accelerator, psum_bits, every))
    tiles = every.only(legal)
    ranked: list[tuple[int, int, str, int]] = []
    for order in ORDERS:
        cycles, traffic = lower_bound(gemm, accelerator, tiles, order)
        ranked += [(int(cycles[i]), int(traffic[i]), order, i) for i in range(len(cycles))]
    best: tuple[int, int, Mapping] | None = None
    for least_cycles, bits, order, i in sorted(ranked):
        if best is not None and (least_cycles, bits) >= best[:2]:
            break
        mapping = Mapping(
            gemm=gemm, array=array, tile_m=int(tiles.m[i]), tile_k=int(tiles.k[i]), tile_n=int(tiles.n[i]), order=order
        )
        exact = (array_cycles(mapping, accelerator, datapath).total, dram_bits(mapping))
        if best is None or exact < best[:2]:
            best = (*exact, mapping)
    assert best is not None
    return best[2]


def lower_bound(gemm: Gemm, accelerator: Accelerator, tiles: Candidates, order: str) -> tuple[np.ndarray, np.ndarray]:
    """Return (cycles, DRAM bits) that no execution of the tiles goes below, int64 ``[candidates]``.

    The array's own time plus the first load and the last store, or all transfers over the DRAM channel.
    """
    dram, groups = accelerator.dram, gemm.groups
    trips = {dim: -(-gemm.shape[dim] // getattr(tiles, dim)) for dim in "mkn"}
    stays = trips["k"] == 1  # the operand of the outer dimension stays while the inner one runs
    whole = stays & (trips[order[1]] == 1)  # the operand of the inner dimension stays altogether
    ifmap_repeats = np.where(stays if order == "mnk" else whole, 1, trips["n"])
    weight_repeats = np.where(whole if order == "mnk" else stays, 1, trips["m"])
    ifmap = ifmap_total_elements(gemm, tiles.m) * ifmap_repeats * gemm.ifmap.bits
    weight = gemm.k * gemm.n * weight_repeats * gemm.weight.bits
    traffic = (ifmap + weight + gemm.m * gemm.n * gemm.ofmap.bits) * groups
    first = tiles.k * tiles.n * gemm.weight.bits // dram.bits_per_cycle + dram.latency_cycles
    busy = _least_busy(gemm, accelerator.array, tiles, trips) * groups
    return np.maximum(busy + first, traffic // dram.bits_per_cycle), traffic


def _least_busy(gemm: Gemm, array: SystolicArray, tiles: Candidates, trips: dict[str, np.ndarray]) -> np.ndarray:
    """Return the streaming cycles of one group: folds along rows and columns, edges exact, times the streamed dimension."""
    flow = array.flow
    folds = {}
    for dim, size in ((flow.rows, array.rows), (flow.columns, array.columns)):
        tile, total = getattr(tiles, dim), gemm.shape[dim]
        last = total - (trips[dim] - 1) * tile
        folds[dim] = (trips[dim] - 1) * -(-tile // size) + -(-last // size)
    return folds[flow.rows] * folds[flow.columns] * gemm.shape[flow.time]


def _too_small(gemm: Gemm, accelerator: Accelerator, psum_bits: int, every: Candidates) -> str:
    m, k, n = (np.array([sizes.min()]) for sizes in (every.m, every.k, every.n))
    needed = memory_bytes(accelerator, tile_bits(gemm, m, k, n, psum_bits))
    short = [level for level in accelerator.memory if needed[level.name][0] > level.size_bytes]
    lacks = [
        f"memory {level.name!r} has {level.size_bytes} bytes and needs {int(needed[level.name][0])}" for level in short
    ]
    wider = short[0] if short else accelerator.memory[0]
    return (
        f"no tile fits {accelerator.name}; for the smallest ({m[0]} x {k[0]} x {n[0]}, m x k x n) "
        f"{' and '.join(lacks) or 'the memories together are too small'}; enlarge it, as "
        f"--set memory.{wider.name}.size_bytes={max(int(needed[wider.name][0]), wider.size_bytes)}"
    )
