"""Choose the tiles of one GEMM: the legal candidate with the fewest cycles, then the least DRAM traffic."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from hwsim.cost.array_cycles import tile_cycles
from hwsim.cost.array_layer import array_layer
from hwsim.errors import MappingError
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.datapath import Datapath
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.legal import candidates, fits, ifmap_elements, memory_bytes, tile_bits
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import register_bits

FINALISTS = 6
ORDERS = ("mnk", "nmk")


@lru_cache(maxsize=4096)
def choose_mapping(gemm: Gemm, accelerator: Accelerator, datapath: Datapath) -> Mapping:
    """Return the mapping of ``gemm``: legal candidates are ranked by an estimate, the best few by their exact cost.

    Raises:
        MappingError: not even the smallest tile fits the on-chip memories.
    """
    array = accelerator.array
    grids = np.meshgrid(*(np.array(c) for c in candidates(gemm, array.rows, array.columns)), indexing="ij")
    m, k, n = (grid.reshape(-1) for grid in grids)
    psum_bits = register_bits(datapath.accumulator, gemm, gemm.k)
    tiles = tile_bits(gemm, m, k, n, psum_bits)
    legal = fits(accelerator, tiles)
    if not legal.any():
        raise MappingError(_too_small(gemm, accelerator, psum_bits, m, k, n))
    m, k, n = m[legal], k[legal], n[legal]
    ranked: list[tuple[int, int, int, Mapping]] = []
    for order in ORDERS:
        dram_bits, cycles = _estimate(gemm, accelerator, m, k, n, order)
        for index in np.lexsort((-(m * n * k), dram_bits, cycles))[:FINALISTS]:
            mapping = Mapping(
                gemm=gemm, array=array, tile_m=int(m[index]), tile_k=int(k[index]), tile_n=int(n[index]), order=order
            )
            exact = array_layer(mapping, accelerator, datapath)
            traffic = sum(row.count * row.bits for row in exact.accesses if row.memory == "dram")
            ranked.append((exact.cycles.total, traffic, len(ranked), mapping))
    return min(ranked)[3]


def _estimate(
    gemm: Gemm, accelerator: Accelerator, m: np.ndarray, k: np.ndarray, n: np.ndarray, order: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return (DRAM bits, cycles) of full tiles, edges rounded up: enough to rank candidates."""
    trips = {"m": -(-gemm.m // m), "k": -(-gemm.k // k), "n": -(-gemm.n // n)}
    whole = (trips["k"] == 1) & (trips[order[1]] == 1)
    steps = trips["m"] * trips["k"] * trips["n"]
    ifmap_loads, weight_loads = steps, steps
    if order == "mnk":
        ifmap_loads = np.where(trips["k"] == 1, trips["m"], steps)
        weight_loads = np.where(whole, trips["n"] * trips["k"], steps)
    else:
        weight_loads = np.where(trips["k"] == 1, trips["n"], steps)
        ifmap_loads = np.where(whole, trips["m"] * trips["k"], steps)
    dram = (
        ifmap_loads * ifmap_elements(gemm, m, k) * gemm.ifmap.bits
        + weight_loads * k * n * gemm.weight.bits
        + gemm.m * gemm.n * gemm.ofmap.bits
    ) * gemm.groups
    sizes = {"m": m, "k": k, "n": n}
    busy = np.sum(tile_cycles(accelerator.array, sizes), axis=0) * steps * gemm.groups
    first = (ifmap_elements(gemm, m, k) * gemm.ifmap.bits + k * n * gemm.weight.bits) // accelerator.dram.bits_per_cycle
    return dram, np.maximum(busy, dram // accelerator.dram.bits_per_cycle) + first


def _too_small(
    gemm: Gemm, accelerator: Accelerator, psum_bits: int, m: np.ndarray, k: np.ndarray, n: np.ndarray
) -> str:
    smallest = np.array([m.min()]), np.array([k.min()]), np.array([n.min()])
    needed = memory_bytes(accelerator, tile_bits(gemm, *smallest, psum_bits))
    short = [
        f"memory {level.name!r} has {level.size_bytes} bytes and the smallest tile needs {int(needed[level.name][0])}"
        for level in accelerator.memory
        if needed[level.name][0] > level.size_bytes
    ] or ["no tile fits all memories at once"]
    first = accelerator.memory[0].name
    return (
        f"no tile of {smallest[0][0]} x {smallest[1][0]} x {smallest[2][0]} (m x k x n) fits {accelerator.name}: "
        f"{'; '.join(short)}; enlarge it, for example --set memory.{first}.size_bytes=..., or switch double buffering off"
    )
