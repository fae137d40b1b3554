"""Choose the tiles of one GEMM: the legal candidate with the fewest cycles, and of those the least DRAM traffic.

Branch and bound: candidates are taken in the order of a lower bound of their cycles and evaluated exactly until no bound
is below the best found. A tiling that is legal at some width is legal at every smaller one and not slower there, so the
chosen latency never rises when a width falls.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from hwsim.cost.array_cycles import exposed_cycles, fold_cycles
from hwsim.cost.array_layer import array_cycles, dram_bits
from hwsim.errors import MappingError
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.datapath import Datapath
from hwsim.hardware.parts import SystolicArray
from hwsim.mapping.candidates import Candidates, candidates
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.legal import ceil_div_array, fits, tile_bits
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.tiles import cuts, ifmap_total, per_tile
from hwsim.mapping.widths import accumulator_bits
from hwsim.schedule.shortage import too_small

MAX_STEPS = 200_000
ORDERS = ("mnk", "nmk")


@lru_cache(maxsize=4096)
def choose_mapping(gemm: Gemm, accelerator: Accelerator, datapath: Datapath) -> Mapping:
    """Return the best mapping of ``gemm`` among ``hwsim.mapping.candidates``.

    Raises:
        MappingError: no tile fits the on-chip memories (or only such as would cut the layer into over MAX_STEPS tiles).
    """
    array = accelerator.array
    every = candidates(gemm, array.rows, array.columns)
    every = every.only(step_count(gemm, every) <= MAX_STEPS)
    needed = tile_bits(gemm, every.m, every.k, every.n, accumulator_bits(gemm, datapath))
    legal = fits(accelerator, needed)
    if not legal.any():
        raise MappingError(too_small(accelerator, every, needed))
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


def step_count(gemm: Gemm, tiles: Candidates) -> np.ndarray:
    """Return the tiles of one group, int64 ``[candidates]``."""
    trips = _trips(gemm, tiles)
    return trips["m"] * trips["k"] * trips["n"]


def lower_bound(gemm: Gemm, accelerator: Accelerator, tiles: Candidates, order: str) -> tuple[np.ndarray, np.ndarray]:
    """Return (cycles, DRAM bits) that no execution of the tiles goes below, int64 ``[candidates]``.

    The array's own time plus the first load, or all transfers over the DRAM channel. The bits are exact.
    """
    dram, groups = accelerator.dram, gemm.groups
    trips = _trips(gemm, tiles)
    stays = trips["k"] == 1  # the operand of the outer dimension stays while the inner one runs
    whole = stays & (trips[order[1]] == 1)  # the operand of the inner dimension stays altogether
    ifmap_repeats = np.where(stays if order == "mnk" else whole, 1, trips["n"])
    weight_repeats = np.where(whole if order == "mnk" else stays, 1, trips["m"])
    ifmap = ifmap_total(gemm, tiles.m) * ifmap_repeats * gemm.ifmap.bits
    weight = gemm.k * gemm.n * weight_repeats * gemm.weight.bits
    traffic = (ifmap + weight + gemm.m * gemm.n * gemm.ofmap.bits) * groups
    first = tiles.k * tiles.n * gemm.weight.bits // dram.bits_per_cycle + dram.latency_cycles
    busy = _array_time(gemm, accelerator.array, tiles) * groups
    return np.maximum(busy + first, traffic // dram.bits_per_cycle), traffic


def _trips(gemm: Gemm, tiles: Candidates) -> dict[str, np.ndarray]:
    return {dim: _sum_over_tiles(gemm, dim, tiles, np.ones_like) for dim in "mkn"}


def _array_time(gemm: Gemm, array: SystolicArray, tiles: Candidates) -> np.ndarray:
    """Return the array's cycles for one group: folds along rows and columns, times the streams of a fold.

    Before the first fold of all nothing is exposed, but then the load or the drain of the layer is: it is no less.
    """

    def stream_cycles(sizes: np.ndarray) -> np.ndarray:
        return fold_cycles(array, sizes) + exposed_cycles(array, sizes, sizes)

    flow = array.flow
    rows = _sum_over_tiles(gemm, flow.rows, tiles, lambda sizes: ceil_div_array(sizes, array.rows))
    columns = _sum_over_tiles(gemm, flow.columns, tiles, lambda sizes: ceil_div_array(sizes, array.columns))
    return rows * columns * _sum_over_tiles(gemm, flow.time, tiles, stream_cycles)


def _sum_over_tiles(gemm: Gemm, dim: str, tiles: Candidates, measure: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return the sum of ``measure`` over the sizes of all tiles along ``dim``, int64 ``[candidates]``."""
    return per_tile(getattr(tiles, dim), lambda tile: int(measure(cuts(gemm, dim, tile)[1]).sum()))
