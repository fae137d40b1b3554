"""One mapping of one layer: cycles, stalls by cause and traffic, step by step.

The twin of ``hwsim.cost.pipeline.run`` on ``hwsim.cost.array_layer.pipeline_of``; see there for the rules.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.kernels.timing.array import ceil_div, exposed_cycles, fold_cycles, kept, last_cycles, pick, stream_cycles
from hwsim.kernels.timing.records import COUNTS, MAX_LINKS, Counts
from hwsim.kernels.timing.visit import advance, enter
from hwsim.kernels.timing.window import ifmap_elements, ifmap_runs, ofmap_runs

END, COMPUTE, FILL, DRAIN = int(Counts.END), int(Counts.COMPUTE), int(Counts.FILL), int(Counts.DRAIN)
STALL_IFMAP, STALL_WEIGHT, STALL_OFMAP = int(Counts.STALL_IFMAP), int(Counts.STALL_WEIGHT), int(Counts.STALL_OFMAP)
STALL_PORT, STALL_REQUANTIZER = int(Counts.STALL_PORT), int(Counts.STALL_REQUANTIZER)
IDLE_TAIL, DRAM_BITS, WEIGHT_READS, IFMAP_READS = (
    int(Counts.IDLE_TAIL),
    int(Counts.DRAM_BITS),
    int(Counts.WEIGHT_READS),
    int(Counts.IFMAP_READS),
)
PSUM_ACCESSES, CONSTANT_READS, MOVED = int(Counts.PSUM_ACCESSES), int(Counts.CONSTANT_READS), int(Counts.MOVED)
SCALE_READS, POSITION_READS = int(Counts.SCALE_READS), int(Counts.POSITION_READS)
WEIGHT, IFMAP, PSUM = 0, 1, 2
MAX_LEVELS, CHANNELS = 6, 64


@kernel
def burst_bits(bits: int, runs: int, burst: int) -> int:
    """Return the bits of ``runs`` equal runs in whole bursts."""
    if burst == 1:
        return bits
    runs = max(runs, 1)
    return ceil_div(bits, runs * burst) * runs * burst


@kernel
def copy(source: Any, target: Any, levels: int) -> None:
    """Copy the places of ``levels`` levels."""
    for level in range(levels):
        for i in range(4):
            target[level, i] = source[level, i]


@kernel
def port_cycles(memories: Any, loads: Any, reads: Any, writes: Any, carried: Any, stored: Any) -> int:
    """Return the cycles of the busiest port next to the array; bits by operand (weight, ifmap, psum, ofmap) and by link."""
    busiest = 0
    for i in range(len(memories)):
        memory = memories[i]
        if memory.level > 1:
            continue
        read = memory.weight * reads[0] + memory.ifmap * reads[1] + memory.psum * reads[2]
        write = memory.psum * writes[2] + memory.ofmap * writes[3]
        read_cycles, write_cycles = ceil_div(read, memory.read_bits), ceil_div(write, memory.write_bits)
        if memory.shared:
            busy = read_cycles + write_cycles
            if memory.dma:
                for j in range(len(loads)):
                    if loads[j].target == i:
                        busy += ceil_div(carried[j], memory.write_bits)
                    if loads[j].source == i:
                        busy += ceil_div(carried[j], memory.read_bits)
                busy += memory.ofmap * ceil_div(stored, memory.read_bits)
        else:
            busy = max(read_cycles, write_cycles)
        busiest = max(busiest, busy)
    return busiest


@kernel
def store(stores: Any, cycles: Any, results: int, since: int, free: Any, sent: Any) -> int:
    """Send the results of a step outwards; return for how long DRAM's read channel is busy with it after ``since``.

    Twin of ``hwsim.cost.pipeline._store``; ``free`` by channel and ``sent`` by link (the last end, and the one before) move on.
    """
    ready, behind = results, 0
    for j in range(len(stores)):
        if not cycles[j]:
            break
        link = stores[j]
        begin = max(free[link.channel], free[link.far_channel], ready)
        if j + 1 < len(stores):
            begin = max(begin, sent[j + 1, 1] if stores[j + 1].double else sent[j + 1, 0])
        ready = begin + cycles[j]
        free[link.channel] = free[link.far_channel] = ready
        sent[j, 1] = sent[j, 0]
        sent[j, 0] = ready
        if link.dram == 1:
            behind += max(ready - max(begin, since), 0)
    return behind


@kernel
def evaluate(
    layer: Any, machine: Any, memories: Any, loads: Any, stores: Any, tiling: Any, blocks: Any, parts: Any, limit: int,
    counts: Any,
) -> bool:  # fmt: skip
    """Fill ``counts`` (int64 ``[COUNTS]``) for one mapping; stop and return False once it is beyond ``limit`` cycles.

    Args:
        layer: record of ``LAYER``.
        machine: record of ``MACHINE``.
        memories: array of ``MEMORY``.
        loads: array of ``LINK``: weights first, each operand's from the outermost inwards.
        stores: array of ``LINK``, outwards.
        tiling: record of ``TILING``.
        blocks: array of ``BLOCK``.
        parts: array of ``PART``: what the tiling means along k.
        limit: cycles beyond which the result is of no interest; negative: none.
        counts: the results.
    """
    for i in range(COUNTS):
        counts[i] = 0
    levels = machine.levels
    sizes = np.zeros((MAX_LEVELS, 3), np.int64)
    sizes[0, 0], sizes[0, 1], sizes[0, 2] = tiling.m, tiling.n, tiling.n_outermost
    for level in range(1, levels):
        block = blocks[level - 1]
        sizes[level, 0], sizes[level, 1], sizes[level, 2] = block.m, block.n, block.n_outermost
    at = np.zeros((MAX_LEVELS, 4), np.int64)
    now = np.zeros((MAX_LEVELS, 4), np.int64)
    past = np.full((MAX_LEVELS, 4), -1, np.int64)
    free = np.zeros(CHANNELS, np.int64)
    arrived = np.zeros(MAX_LINKS, np.int64)
    mark = np.zeros(MAX_LINKS, np.int64)
    sent = np.zeros((MAX_LINKS, 2), np.int64)
    to_store = np.zeros(MAX_LINKS, np.int64)
    reads, writes, carried = np.zeros(4, np.int64), np.zeros(4, np.int64), np.zeros(MAX_LINKS, np.int64)
    last_load, stored_behind = 0, 0  # on DRAM's read channel; stores since then
    done, folds_all, exposed_all, before_stream = 0, 0, 0, 0
    tail = machine.down + machine.out if machine.overlap_drain else 0
    skew = 0 if machine.overlap_drain else machine.down + machine.out
    waiting = 0  # for the ends of blocks of vectors
    first_step, pending = True, False
    for first_group in range(0, layer.groups, tiling.groups_together):
        groups = min(tiling.groups_together, layer.groups - first_group)
        enter(layer, sizes, at, levels - 1, levels)
        new_group, moving = True, True
        k_past = -1
        while moving:
            copy(at, now, levels)
            moved = advance(layer, sizes, at, levels)
            moving = moved < levels
            m, n = now[0, 1], now[0, 3]
            weight_folds = ceil_div(m, machine.rows if machine.rows_dim == 0 else machine.columns)
            ifmap_folds = ceil_div(n, machine.rows if machine.rows_dim == 2 else machine.columns)
            weight_folds = 1 if machine.time_dim == 0 else weight_folds
            ifmap_folds = 1 if machine.time_dim == 2 else ifmap_folds
            first_part, k_start, k = 0, 0, 0
            while first_part < len(parts):
                # the array: every part as a tile of its own
                last_part, k_start, k, psum_folds, scales, own, idle = first_part, k_start + k, 0, 0, 0, 0, 0
                while last_part < len(parts) and parts[last_part].tile == parts[first_part].tile:
                    size = parts[last_part].size
                    stream = stream_cycles(machine, pick(machine.time_dim, m, size, n))
                    along = 1 if machine.time_dim == 1 else ceil_div(size, machine.rows)
                    folds = along * weight_folds * ifmap_folds * ceil_div(groups, tiling.groups_in_array)
                    within = exposed_cycles(machine, stream, stream)
                    before = 0 if first_step and not k else exposed_cycles(machine, before_stream, stream)
                    own += folds * fold_cycles(machine, stream) + (folds - 1) * within
                    waiting += folds * (fold_cycles(machine, stream) - stream - skew)
                    exposed_all += before + (folds - 1) * within
                    folds_all += folds
                    counts[COMPUTE] += folds * stream
                    if k:
                        own += before
                    else:
                        idle = before
                    before_stream = stream
                    k += size
                    psum_folds += along
                    scales += parts[last_part].scales
                    last_part += 1
                first_part = last_part
                finishes = k_start + k == layer.k
                outputs = m * n * groups if finishes else 0
                if finishes and not moving and first_group + groups == layer.groups:  # no fold follows
                    unused = fold_cycles(machine, before_stream) - last_cycles(machine, before_stream)
                    own, waiting = own - unused, waiting - unused
                # what passes the array's edge
                weight_reads = kept(machine, k) * n * weight_folds * groups
                ifmap_reads = m * k * ifmap_folds * groups
                psum = m * n * psum_folds * groups
                shared = tiling.groups_in_array
                squares = groups // shared * shared * shared + (groups % shared) ** 2
                if machine.stationary == WEIGHT:
                    weight_reads = weight_reads // groups * squares
                elif machine.stationary == IFMAP:
                    ifmap_reads = ifmap_reads // groups * squares
                if layer.preloads_bias:
                    psum += outputs
                constants = n * groups if finishes and layer.constant_bits else 0
                positions = groups if finishes and layer.position_words else 0
                positions *= (m if layer.position_rows else 1) * (n if layer.position_columns else 1)
                scale_reads = 0
                if layer.segments:
                    scale_reads = (scales if layer.is_decoded else psum_folds) * weight_folds * groups
                    scale_reads *= ifmap_folds if layer.shares_scales else n
                counts[WEIGHT_READS] += weight_reads
                counts[IFMAP_READS] += ifmap_reads
                counts[PSUM_ACCESSES] += psum
                counts[CONSTANT_READS] += constants
                counts[POSITION_READS] += positions
                counts[SCALE_READS] += scale_reads
                # loads
                words = layer.n * groups if new_group else 0
                moved_positions = layer.position_words if first_step else 0
                if layer.position_groups:
                    moved_positions = layer.position_words * groups if new_group else 0
                filled = layer.table_bits if first_step else 0
                stationary_is_new = first_step
                waits_weight, waits_ifmap = 0, 0
                for j in range(len(loads)):
                    link = loads[j]
                    carried[j] = 0
                    i = link.level - 1
                    own_dim = 2 if link.operand == WEIGHT else 0
                    changes = new_group or now[i, own_dim] != past[i, own_dim] or (i == 0 and k_start != k_past)
                    if not changes:
                        continue
                    k_here = k if i == 0 else layer.k
                    if link.operand == WEIGHT:
                        elements = kept(machine, k_here) * now[i, 3]
                        in_rows = layer.weight_is_activation and now[i, 3] < layer.n
                        runs = (kept(machine, k_here) if in_rows else 1) * groups
                        bits = elements * groups * layer.weight_bits
                    else:
                        elements = ifmap_elements(layer, now[i, 0], now[i, 1], k_here)
                        runs = ifmap_runs(layer, now[i, 0], now[i, 1], k_here, groups) if link.burst > 1 else 1
                        bits = elements * groups * layer.ifmap_bits
                    plain = bits
                    bits = burst_bits(bits, runs, link.burst)
                    if link.operand == WEIGHT and layer.segments:
                        moved_scales = (scales if i == 0 else layer.segments) * groups
                        moved_scales *= 1 if layer.shares_scales else now[i, 3]
                        bits += ceil_div(moved_scales * layer.scale_bits, link.burst) * link.burst
                        plain += moved_scales * layer.scale_bits
                    if link.operand == WEIGHT:
                        bits += ceil_div(words * layer.constant_bits, link.burst) * link.burst
                        bits += ceil_div(moved_positions * layer.position_bits, link.burst) * link.burst
                        bits += ceil_div(filled, link.burst) * link.burst
                        plain += words * layer.constant_bits + moved_positions * layer.position_bits + filled
                    carried[j] = plain
                    innermost = j + 1 == len(loads) or loads[j + 1].operand != link.operand
                    outermost = j == 0 or loads[j - 1].operand != link.operand
                    if innermost and link.operand == machine.stationary and elements:
                        stationary_is_new = True
                    cycles = ceil_div(bits, link.bits)
                    counts[MOVED + j] += bits
                    if link.dram:
                        counts[DRAM_BITS] += bits
                    if not cycles:
                        continue
                    used_up = done if innermost else arrived[j + 1]
                    begin = max(free[link.channel], free[link.far_channel], mark[j] if link.double else used_up)
                    if not outermost:
                        begin = max(begin, arrived[j - 1])
                    mark[j] = used_up
                    early = tiling.prefetched if first_step and link.dram and link.operand == WEIGHT else 0
                    ahead = min(early, cycles)
                    end = begin + cycles - ahead
                    free[link.channel] = free[link.far_channel] = end
                    arrived[j] = end + max(link.latency - early + ahead, 0)
                    if link.dram:
                        last_load, stored_behind = end, 0
                # the results of the step before
                if pending:
                    stored_behind += store(stores, to_store, done + tail, max(last_load, mark[0]), free, sent)
                # the step itself
                start = machine.load if first_step else done + idle
                preload = machine.load if stationary_is_new else 0
                for j in range(len(loads)):
                    if j + 1 == len(loads) or loads[j + 1].operand != loads[j].operand:
                        if loads[j].operand == WEIGHT:
                            waits_weight = arrived[j] + (preload if machine.stationary == WEIGHT else 0)
                        else:
                            waits_ifmap = arrived[j] + (preload if machine.stationary == IFMAP else 0)
                waits_ofmap = 0
                if finishes and len(stores):
                    waits_ofmap = sent[0, 1] if machine.output_buffered else sent[0, 0]
                start = wait(counts, start, waits_ifmap, waits_weight, waits_ofmap)
                reads[0] = weight_reads * layer.weight_bits + constants * layer.constant_bits + filled
                reads[0] += positions * layer.position_bits + scale_reads * layer.scale_bits
                reads[1] = ifmap_reads * layer.ifmap_bits
                reads[2] = psum * layer.psum_bits
                writes[2] = reads[2]
                writes[3] = outputs * layer.ofmap_bits
                for j in range(len(stores)):
                    i = stores[j].level - 1
                    complete = finishes and (not moving or moved >= i)
                    to_store[j] = 0
                    if complete:
                        bits = now[i, 1] * now[i, 3] * groups * layer.ofmap_bits
                        bits = burst_bits(bits, ofmap_runs(layer, now[i, 1], now[i, 3], groups), stores[j].burst)
                        to_store[j] = ceil_div(bits, stores[j].bits)
                        counts[MOVED + len(loads) + j] += bits
                        if stores[j].dram:
                            counts[DRAM_BITS] += bits
                pending = finishes
                stored = outputs * layer.ofmap_bits if len(stores) else 0
                port = port_cycles(memories, loads, reads, writes, carried, stored)
                requantizer = ceil_div(outputs, machine.requantizer_lanes)
                if (
                    finishes and not moving and first_group + groups == layer.groups
                ):  # the end of it runs under the tail
                    port, requantizer = max(port - tail, 0), max(requantizer - tail, 0)
                busy = max(own, port, requantizer)
                counts[STALL_PORT if port >= requantizer else STALL_REQUANTIZER] += busy - own
                done = start + busy
                if limit >= 0 and done + tail > limit:
                    return False
                copy(now, past, levels)
                k_past = k_start
                first_step, new_group = False, False
    results = done + tail
    stored_behind += store(stores, to_store, results, max(last_load, mark[0]), free, sent)
    end = results
    for j in range(len(stores)):
        end = max(end, sent[j, 0])
    counts[END] = end
    counts[STALL_OFMAP] += end - results
    times = 1 if machine.overlap_drain else folds_all
    counts[FILL] = machine.load + waiting + times * machine.down
    counts[DRAIN] = times * machine.out
    counts[DRAIN if machine.time_dim == 1 else FILL] += exposed_all
    if len(loads) and loads[0].operand == WEIGHT and loads[0].double:
        counts[IDLE_TAIL] = max(end - max(mark[0], last_load), 0) - stored_behind
    return True


@kernel
def wait(counts: Any, start: int, ifmap: int, weight: int, ofmap: int) -> int:
    """Return when a step starts that could at ``start`` but for three arrivals; each cycle counts for the next to arrive."""
    for _ in range(3):
        first, cause = -1, -1
        if weight > start:
            first, cause = weight, STALL_WEIGHT
        if ifmap > start and (first < 0 or ifmap < first):
            first, cause = ifmap, STALL_IFMAP
        if ofmap > start and (first < 0 or ofmap < first):
            first, cause = ofmap, STALL_OFMAP
        if first < 0:
            break
        counts[cause] += first - start
        start = first
    return start
