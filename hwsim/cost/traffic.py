"""Memory rows of an array layer: what the array reads and writes on chip, and what crosses the chip's edge.

On chip, generic from the dataflow: a tile's operand is read once for every fold along a dimension that it does not have
(an ifmap once per column fold when columns run along n), a stationary one once per tile. Partial sums are written to the
accumulator memory after every fold along k, and read back before every one but the first; the finished ones are read once
more, requantized and written to the memory of the ofmap. A bias that is preloaded is written there and read by the first
fold. im2col is a read pattern: an overlapping pixel, padding and inserted zeros are read again on chip, while DRAM sends
each distinct pixel once per tile. Column constants (bias, zero points, scales) lie with the weights, those of ``n`` columns per
output tile; so do scales by position, those of the tile's rows, and the table of a decoder comes with the first weights.
Scales of segments lie beside the tile's weights; the array takes its columns' scales with every fold.
Between memories every move is a read at its source and a write at its target.
"""

from __future__ import annotations

import numpy as np

from hwsim.cost.array_cycles import Sizes, folds_of
from hwsim.cost.ledger import Access
from hwsim.cost.links import DRAM
from hwsim.cost.steps import Moves, Steps
from hwsim.cost.transfers import beside, constant_words, filled_bits, moved_bits, moved_positions, storage_bits
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.dataflow import OPERAND_DIMENSIONS
from hwsim.hardware.datapath import Datapath
from hwsim.hardware.mac import ONE_PRODUCT, MacShape
from hwsim.hardware.parts import MemoryLevel, SystolicArray
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.layer_constants import column_bits, position_bits, positions_have_columns
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import accumulator_bits, has_column_constant, scale_bits


def edge_elements(array: SystolicArray, sizes: Sizes, operand: str, shape: MacShape = ONE_PRODUCT) -> np.ndarray:
    """Return the elements of ``operand`` (ifmap, weight or psum) that pass the array's edge for tiles of the given sizes.

    Of sparse weights only those pass that are kept.
    """
    folds = folds_of(array, sizes, shape)
    own = OPERAND_DIMENSIONS[operand]
    if operand == "weight":
        sizes = sizes | {"k": shape.kept(sizes["k"])}
    elements = np.prod([sizes[dim] for dim in own], axis=0)
    repeats: np.ndarray = np.prod([folds[dim] for dim in "mkn" if dim not in own], axis=0)
    return elements * repeats


def array_reads(mapping: Mapping, steps: Steps, operand: str) -> np.ndarray:
    """Return the elements of ``operand`` (ifmap, weight or psum) that pass the array's edge in each step, int64 ``[steps]``.

    Groups that share the array bring the zeros between them along with what is stationary.
    """
    parts = steps.parts
    reads = parts.sum(edge_elements(mapping.array, parts.sizes(), operand, mapping.mac)) * steps.groups
    if operand != mapping.array.flow.stationary:
        return reads
    shared = mapping.groups_in_array
    squares = steps.groups // shared * shared**2 + (steps.groups % shared) ** 2
    together: np.ndarray = reads // steps.groups * squares
    return together


def psum_accesses(mapping: Mapping, steps: Steps, datapath: Datapath) -> np.ndarray:
    """Return the writes to the accumulator memory in each step; there are as many reads.

    F folds along k write F times and are read F - 1 times, and once more to leave; a preloaded bias adds one of both.
    """
    sums = array_reads(mapping, steps, "psum")
    preloaded = datapath.bias == "start" and has_column_constant(mapping.gemm, datapath)
    return sums + steps.outputs if preloaded else sums


def constant_reads(steps: Steps) -> np.ndarray:
    """Return the columns whose constants are read on chip in each step: those of each finished output tile."""
    return np.where(steps.finishes, steps.n * steps.groups, 0)


def position_reads(gemm: Gemm, steps: Steps, datapath: Datapath) -> np.ndarray:
    """Return the scales by position that are read on chip in each step: those of each finished output tile's rows, or one."""
    if not gemm.scales_positions:
        return np.zeros_like(steps.m)
    rows = steps.m if gemm.scales_rows > 1 else 1
    columns = steps.n if positions_have_columns(gemm, datapath) else 1
    return np.where(steps.finishes, rows * columns * steps.groups, 0)


def scale_reads(mapping: Mapping, steps: Steps) -> np.ndarray:
    """Return the scales of segments read on chip in each step: of every fold its columns', or one that they share."""
    gemm, parts = mapping.gemm, steps.parts
    if not gemm.has_scales:
        return np.zeros_like(steps.m)
    folds = folds_of(mapping.array, parts.sizes(), mapping.mac)
    along = parts.scales if gemm.is_decoded else folds["k"]
    columns = folds["n"] if gemm.shares_scales else parts.n
    return parts.sum(along * folds["m"] * columns) * steps.groups


def accesses(mapping: Mapping, steps: Steps, accelerator: Accelerator, datapath: Datapath) -> tuple[Access, ...]:
    """Return the rows of all groups."""
    gemm = mapping.gemm
    homes = {operand: accelerator.memory_of(operand).name for operand in ("ifmap", "weight", "ofmap", "psum")}
    rows: list[Access] = []

    def add(memory: str, operand: str, action: str, count: int, bits: int) -> None:
        rows.append(Access(memory=memory, operand=operand, action=action, count=count, bits=bits))

    def move(moves: Moves) -> None:
        operand, bits = moves.link.operand, storage_bits(mapping, moves.link.operand)
        for memory, action in ((moves.link.source, "read"), (moves.link.target, "write")):
            count = int(moves.elements.sum())
            if memory == DRAM and moves.link.burst_bits > 1:
                burst = moves.link.burst_bits
                add(memory, operand, action, int(moved_bits(mapping, moves).sum()) // burst, burst)
            else:
                add(memory, operand, action, count, bits)

    for operand in ("ifmap", "weight"):
        for moves in steps.loads[operand]:
            move(moves)
        used = int(array_reads(mapping, steps, operand).sum())
        add(homes[operand], operand, "read", used, storage_bits(mapping, operand))
    sums = int(psum_accesses(mapping, steps, datapath).sum())
    add(homes["psum"], "psum", "write", sums, accumulator_bits(gemm, datapath))
    add(homes["psum"], "psum", "read", sums, accumulator_bits(gemm, datapath))
    add(homes["ofmap"], "ofmap", "write", int(steps.outputs.sum()), storage_bits(mapping, "ofmap"))
    for moves in steps.stores:
        move(moves)

    def carry(moves: Moves, operand: str, count: np.ndarray, bits: int) -> None:
        burst = moves.link.burst_bits
        if moves.link.source == DRAM and burst > 1:
            add(DRAM, operand, "read", int((-(-count * bits // burst)).sum()), burst)
        else:
            add(moves.link.source, operand, "read", int(count.sum()), bits)
        add(moves.link.target, operand, "write", int(count.sum()), bits)

    bits = column_bits(gemm, datapath)
    if bits:
        for moves in steps.loads["weight"]:
            carry(moves, "constants", constant_words(gemm, steps, datapath), bits)
        add(homes["weight"], "constants", "read", int(constant_reads(steps).sum()), bits)
    bits = position_bits(gemm, datapath)
    if bits:
        for moves in steps.loads["weight"]:
            carry(moves, "constants", moved_positions(gemm, steps, datapath), bits)
        add(homes["weight"], "constants", "read", int(position_reads(gemm, steps, datapath).sum()), bits)
    filled = filled_bits(gemm, steps, datapath)
    if filled.any():
        for moves in steps.loads["weight"]:
            carry(moves, "table", filled, 1)
        add(homes["weight"], "table", "read", int(filled.sum()), 1)
    if gemm.has_scales:
        bits = scale_bits(gemm, datapath)
        for moves in steps.loads["weight"]:
            carry(moves, "scale", moves.scales, bits)
        add(homes["weight"], "scale", "read", int(scale_reads(mapping, steps).sum()), bits)
    return tuple(rows)


def port_cycles(mapping: Mapping, steps: Steps, accelerator: Accelerator, datapath: Datapath) -> np.ndarray:
    """Return the cycles that the busiest port next to the array needs for the array's accesses of each step.

    A memory of one bank with a single port also serves its loads and stores with it.
    """
    gemm = mapping.gemm
    psum = psum_accesses(mapping, steps, datapath) * accumulator_bits(gemm, datapath)
    weight = array_reads(mapping, steps, "weight") * storage_bits(mapping, "weight")
    weight = weight + constant_reads(steps) * column_bits(gemm, datapath) + filled_bits(gemm, steps, datapath)
    weight = weight + position_reads(gemm, steps, datapath) * position_bits(gemm, datapath)
    weight = weight + scale_reads(mapping, steps) * scale_bits(gemm, datapath)
    ifmap = array_reads(mapping, steps, "ifmap") * storage_bits(mapping, "ifmap")
    read = {"ifmap": ifmap, "weight": weight, "psum": psum}
    write = {"psum": psum, "ofmap": steps.outputs * storage_bits(mapping, "ofmap")}
    nothing = np.zeros_like(psum)
    cycles = nothing
    for memory in accelerator.memory:
        if memory.level > 1:
            continue
        reads: np.ndarray = sum((read[o] for o in memory.holds if o in read), nothing)
        writes: np.ndarray = sum((write[o] for o in memory.holds if o in write), nothing)
        ports = (-(-reads // memory.read_bits_per_cycle), -(-writes // memory.write_bits_per_cycle))
        if memory.ports == "1r1w":
            busy = np.maximum(*ports)
        else:
            busy = ports[0] + ports[1]
            if memory.banks == 1:
                busy = busy + _dma_cycles(mapping, steps, datapath, memory)
        cycles = np.maximum(cycles, busy)
    return cycles


def _dma_cycles(mapping: Mapping, steps: Steps, datapath: Datapath, memory: MemoryLevel) -> np.ndarray:
    """Return the cycles in which loads and stores of each step occupy the only port of ``memory``."""
    cycles = np.zeros_like(steps.m)
    for operand in ("ifmap", "weight"):
        for moves in steps.loads[operand]:
            bits = moves.elements * storage_bits(mapping, operand)
            bits = bits + sum(beside(mapping, steps, moves, datapath))
            if moves.link.target == memory.name:
                cycles = cycles - (-bits // memory.write_bits_per_cycle)
            if moves.link.source == memory.name:  # an ifmap that stayed there
                cycles = cycles - (-bits // memory.read_bits_per_cycle)
    for moves in steps.stores:
        if moves.link.source == memory.name:
            cycles = cycles - (-moves.elements * storage_bits(mapping, "ofmap") // memory.read_bits_per_cycle)
    return cycles
