"""The best of many mappings by branch and bound: evaluated in the order of a lower bound, until no bound is below the best."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.kernels.timing.array import ceil_div
from hwsim.kernels.timing.bound import bound, measure, measure_m
from hwsim.kernels.timing.evaluate import DRAM_BITS, END, evaluate
from hwsim.kernels.timing.legal import largest_ifmap, memory_bytes
from hwsim.kernels.timing.records import COUNTS

CYCLES, ENERGY = 0, 1  # objectives; 2 is their product


@kernel
def value_of(counts: Any, prices: Any, objective: int) -> Any:
    """Return (first, second) of what is minimized: cycles then DRAM bits; energy or energy times cycles, then cycles."""
    if objective == CYCLES:
        return float(counts[END]), float(counts[DRAM_BITS])
    energy = prices[COUNTS]
    for i in range(COUNTS):
        energy += counts[i] * prices[i]
    return (energy if objective == ENERGY else energy * counts[END]), float(counts[END])


@kernel
def rank(
    layer: Any, machine: Any, memories: Any, loads: Any, stores: Any, sizes_m: Any, sizes_k: Any, sizes_n: Any,
    together: Any, blocks: Any, options: Any, resident: Any, room: Any, prices: Any, objective: int, max_steps: int,
    index: Any, values: Any,
) -> int:  # fmt: skip
    """List the legal mappings with a lower bound of what is minimized; return how many there are.

    Args:
        layer, machine: records; ``memories``, ``loads``, ``stores``: arrays, see ``records``.
        sizes_m, sizes_k, sizes_n: tile sizes to try, ascending int64.
        together: ``[n, 2]``: numbers of groups that travel together and that share the array; the first is (1, 1).
        blocks: array of ``BLOCK`` ``[choices, levels - 1]`` (one column for a machine of one level).
        options: array of one ``TILING``, for the candidate at hand.
        resident: bool ``[memories, 2]``: whether the ifmap, the ofmap lies there as a whole anyway.
        room: bytes that each memory has for tiles.
        prices: float64 ``[COUNTS + 1]``: energy per count, and of the layer whatever its mapping is.
        objective: 0 cycles, 1 energy, 2 energy times cycles.
        max_steps: mappings of more steps are not tried.
        index: int32 ``[most, 6]``: receives the indices of m, k, n, together, order, blocks.
        values: float64 ``[most, 2]``: receives the bounds.
    """
    levels = machine.levels
    of_m = np.zeros((len(sizes_m), 7), np.int64)
    of_k = np.zeros((len(sizes_k), 7), np.int64)
    of_n = np.zeros((len(sizes_n), 7), np.int64)
    pixels = np.zeros(len(sizes_m), np.int64)
    for i in range(len(sizes_m)):
        measure_m(layer, machine, sizes_m[i], of_m[i])
        pixels[i] = largest_ifmap(layer, sizes_m[i])
    for i in range(len(sizes_k)):
        measure(machine, layer.k, sizes_k[i], of_k[i])
    for i in range(len(sizes_n)):
        measure(machine, layer.n, sizes_n[i], of_n[i])
    blocks_fit = np.ones(len(blocks), np.bool_)
    for b in range(len(blocks)):
        for i in range(len(memories)):
            if memories[i].level > 1:
                block = blocks[b, memories[i].level - 2]
                around = largest_ifmap(layer, block.m)
                needed = memory_bytes(layer, machine, memories[i], resident[i], block.m, layer.k, block.n, 1, around)
                blocks_fit[b] = blocks_fit[b] and needed <= room[i]
    counts = np.zeros(COUNTS, np.int64)
    found = 0
    option = options[0]
    for im in range(len(sizes_m)):
        for ik in range(len(sizes_k)):
            for i_n in range(len(sizes_n)):
                m, k, n = sizes_m[im], sizes_k[ik], sizes_n[i_n]
                whole = m == layer.m and k == layer.k and n == layer.n
                for ig in range(len(together) if whole else 1):
                    groups = together[ig, 0]
                    visits = ceil_div(layer.groups, groups)
                    if of_m[im, 0] * of_k[ik, 0] * of_n[i_n, 0] * visits > max_steps:
                        continue
                    legal = True
                    for i in range(len(memories)):
                        if memories[i].level == 1:
                            needed = memory_bytes(layer, machine, memories[i], resident[i], m, k, n, groups, pixels[im])
                            legal = legal and needed <= room[i]
                    if not legal:
                        continue
                    option.m, option.k, option.n = m, k, n
                    option.groups_together, option.groups_in_array = groups, together[ig, 1]
                    for order in range(2):
                        if order and of_m[im, 0] == 1 and of_n[i_n, 0] == 1:
                            continue
                        option.n_outermost = order
                        bound(layer, machine, loads, stores, option, of_m[im], of_k[ik], of_n[i_n], counts)
                        least, then = value_of(counts, prices, objective)
                        for b in range(len(blocks)):
                            if levels > 1 and not (blocks_fit[b] and blocks[b, 0].m >= m and blocks[b, 0].n >= n):
                                continue
                            index[found, 0], index[found, 1], index[found, 2] = im, ik, i_n
                            index[found, 3], index[found, 4], index[found, 5] = ig, order, b
                            values[found, 0], values[found, 1] = least, then
                            found += 1
    return found


@kernel
def search(
    layer: Any, machine: Any, memories: Any, loads: Any, stores: Any, sizes_m: Any, sizes_k: Any, sizes_n: Any,
    together: Any, blocks: Any, options: Any, prices: Any, objective: int, index: Any, values: Any, counts: Any,
) -> int:  # fmt: skip
    """Return which row of ``index`` is the best mapping.

    Args: as of ``rank``, and
        index, values: what ``rank`` listed, sorted by the values.
        counts: int64 ``[COUNTS]``, for the candidate at hand.
    """
    best, best_then, chosen = np.inf, np.inf, -1
    option = options[0]
    for at in range(len(index)):
        if values[at, 0] > best:
            break
        if values[at, 0] == best and values[at, 1] >= best_then:
            continue
        option.m, option.k, option.n = sizes_m[index[at, 0]], sizes_k[index[at, 1]], sizes_n[index[at, 2]]
        option.groups_together, option.groups_in_array = together[index[at, 3], 0], together[index[at, 3], 1]
        option.n_outermost = index[at, 4]
        limit = int(best) if objective == CYCLES and best < np.inf else -1
        if not evaluate(layer, machine, memories, loads, stores, option, blocks[index[at, 5]], limit, counts):
            continue
        value, then = value_of(counts, prices, objective)
        if value < best or (value == best and then < best_then):
            best, best_then, chosen = value, then, at
    return chosen
