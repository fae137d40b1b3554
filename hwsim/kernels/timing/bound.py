"""What no execution of a mapping goes below: the array's own time and the traffic that its tiles imply, without steps.

With one level of memory all counts but the cycles are exact. With blocks behind it they are counted as if tiles were not
cut at the blocks' borders, and operands that a block might reload are counted once.
"""

from __future__ import annotations

from typing import Any

from hwsim.kernels.cache import kernel
from hwsim.kernels.timing.array import ceil_div, exposed_cycles, fold_cycles, kept, last_cycles, pick, stream_cycles
from hwsim.kernels.timing.evaluate import (
    BIAS_BITS,
    DRAM_BITS,
    END,
    IFMAP_READS,
    MOVED,
    PSUM_ACCESSES,
    WEIGHT,
    WEIGHT_READS,
    burst_bits,
)
from hwsim.kernels.timing.records import COUNTS
from hwsim.kernels.timing.window import ifmap_elements, ifmap_runs


@kernel
def least_cycles(machine: Any, size: int) -> int:
    """Return what one fold of ``size`` along the streamed dimension takes at least, with what is exposed."""
    stream = stream_cycles(machine, size)
    return last_cycles(machine, stream) + exposed_cycles(machine, stream, stream)


@kernel
def measure_m(layer: Any, machine: Any, tile: int, found: Any) -> None:
    """Fill ``found`` int64 ``[7]`` for tiles of ``tile`` along m, no block around them.

    The tiles; the sum of their folds along rows, along columns; the sum of streams with what is exposed; the ifmap elements
    of one unit of k over all tiles, of the first, of the largest.
    """
    image = layer.out_width * layer.out_height
    block = image if layer.has_window and tile < image else layer.m
    unit = layer.taps if layer.has_window else 1
    for i in range(7):
        found[i] = 0
    for start in range(0, block, tile):
        size = min(tile, block - start)
        pixels = ifmap_elements(layer, start, size, unit)
        found[0] += 1
        found[1] += ceil_div(size, machine.rows)
        found[2] += ceil_div(size, machine.columns)
        found[3] += least_cycles(machine, size)
        found[4] += pixels
        found[5] = pixels if start == 0 else found[5]
        found[6] = max(found[6], pixels)
    for i in range(5):
        found[i] *= layer.m // block


@kernel
def measure(machine: Any, size: int, tile: int, found: Any) -> None:
    """Fill ``found`` int64 ``[7]`` like ``measure_m`` for k or n; the last three stay 0."""
    for i in range(7):
        found[i] = 0
    whole, rest = size // tile, size % tile
    found[0] = whole + (rest > 0)
    found[1] = whole * ceil_div(tile, machine.rows) + ceil_div(rest, machine.rows)
    found[2] = whole * ceil_div(tile, machine.columns) + ceil_div(rest, machine.columns)
    found[3] = whole * least_cycles(machine, tile) + (least_cycles(machine, rest) if rest else 0)


@kernel
def folds_along(machine: Any, dim: int, found: Any) -> int:
    """Return over all tiles the folds along a dimension: one per tile along time."""
    if machine.time_dim == dim:
        return found[0]
    return found[1] if machine.rows_dim == dim else found[2]


@kernel
def bound(
    layer: Any, machine: Any, loads: Any, stores: Any, tiling: Any, of_m: Any, of_k: Any, of_n: Any, counts: Any
) -> None:
    """Fill ``counts`` (int64 ``[COUNTS]``) with lower bounds of the cycles, the bits over each link, and the array's accesses.

    Args:
        layer, machine, tiling: records.
        loads, stores: arrays of ``LINK``.
        of_m, of_k, of_n: ``measure_m`` and ``measure`` of the tile sizes.
        counts: the results.
    """
    for i in range(COUNTS):
        counts[i] = 0
    one = 0  # array time of one group
    dims = (of_m, of_k, of_n)
    rows, columns = dims[machine.rows_dim][1], dims[machine.columns_dim][2]
    blocked = machine.levels > 1
    if blocked:
        stream = stream_cycles(machine, pick(machine.time_dim, layer.m, layer.k, layer.n))
    else:
        stream = dims[machine.time_dim][3]
    one = rows * columns * stream
    busy = one * layer.groups if tiling.groups_in_array == 1 else one * ceil_div(layer.groups, tiling.groups_in_array)
    stays = of_k[0] == 1
    n_outermost = tiling.n_outermost == 1
    ifmap_stays = stays and ((not n_outermost) or of_m[0] == 1)
    weight_stays = stays and (n_outermost or of_n[0] == 1)
    ifmap_times = 1 if ifmap_stays or blocked else of_n[0]
    weight_times = 1 if weight_stays or blocked else of_m[0]
    unit = layer.taps if layer.has_window else 1
    channel, first = 0, 0
    for j in range(len(loads)):
        link = loads[j]
        if link.operand == WEIGHT:
            bits = kept(machine, layer.k) * layer.n * weight_times * layer.groups * layer.weight_bits
            bits = ceil_div(bits, link.burst) * link.burst
            if layer.constants:
                bits += layer.n * layer.groups * BIAS_BITS
            if link.dram:
                first = max(
                    first, ceil_div(kept(machine, tiling.k) * tiling.n * layer.weight_bits, link.bits) + link.latency
                )
        else:
            pixels = of_m[4]
            if blocked:
                pixels = layer.m if not layer.has_window else ifmap_elements(layer, 0, layer.m, layer.taps)
            bits = pixels * (layer.k // unit) * ifmap_times * layer.groups * layer.ifmap_bits
            if link.burst > 1 and not blocked and of_m[0] == 1:
                bits = burst_bits(bits, ifmap_runs(layer, tiling.m, tiling.k) * of_k[0] * layer.groups, link.burst)
        counts[MOVED + j] = bits
        if link.dram:
            counts[DRAM_BITS] += bits
            channel += ceil_div(bits, link.bits)
    written = 0
    for j in range(len(stores)):
        bits = layer.m * layer.n * layer.groups * layer.ofmap_bits
        counts[MOVED + len(loads) + j] = bits
        if stores[j].dram:
            counts[DRAM_BITS] += bits
            written = ceil_div(bits, stores[j].bits)
            if stores[j].dram == 1:
                channel, written = channel + written, 0
    counts[END] = max(busy + first, channel, written)
    weight_folds, ifmap_folds, psum_folds = (
        folds_along(machine, 0, of_m),
        folds_along(machine, 2, of_n),
        folds_along(machine, 1, of_k),
    )
    counts[WEIGHT_READS] = kept(machine, layer.k) * layer.n * weight_folds * layer.groups
    counts[IFMAP_READS] = layer.m * layer.k * ifmap_folds * layer.groups
    counts[PSUM_ACCESSES] = layer.m * layer.n * psum_folds * layer.groups
    if layer.preloads_bias:
        counts[PSUM_ACCESSES] += layer.m * layer.n * layer.groups
