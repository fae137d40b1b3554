"""Memory rows of an array layer: what the array reads and writes on chip, and what crosses the chip's edge.

On chip, generic from the dataflow: a tile's operand is read once for every fold along a dimension that it does not have
(an ifmap once per column fold when columns run along n), a stationary one once per tile. Partial sums are written to the
accumulator memory after every fold along k, and read back before every one but the first; the finished ones are read once
more, requantized and written to the memory of the ofmap. A bias that is preloaded is written there and read by the first
fold. im2col is a read pattern: an overlapping pixel, padding and inserted zeros are read again on chip, while DRAM sends
each distinct pixel once per tile. Column constants (bias, zero points) lie with the weights, ``n`` words per output tile.
"""

from __future__ import annotations

import numpy as np

from hwsim.cost.array_cycles import folds_of
from hwsim.cost.ledger import Access
from hwsim.cost.steps import Steps
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.dataflow import OPERAND_DIMENSIONS
from hwsim.hardware.datapath import Datapath
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import accumulator_bits, has_column_constant

BIAS_BITS = 32


def array_reads(mapping: Mapping, steps: Steps, operand: str) -> np.ndarray:
    """Return the elements of ``operand`` (ifmap, weight or psum) that pass the array's edge in each step, one group."""
    sizes = steps.sizes()
    folds = folds_of(mapping.array, sizes)
    own = OPERAND_DIMENSIONS[operand]
    elements = np.prod([sizes[dim] for dim in own], axis=0)
    repeats: np.ndarray = np.prod([folds[dim] for dim in "mkn" if dim not in own], axis=0)
    return elements * repeats


def psum_accesses(mapping: Mapping, steps: Steps, datapath: Datapath) -> np.ndarray:
    """Return the writes to the accumulator memory in each step, one group; there are as many reads.

    F folds along k write F times and are read F - 1 times, and once more to leave; a preloaded bias adds one of both.
    """
    sums = array_reads(mapping, steps, "psum")
    preloaded = datapath.bias == "start" and has_column_constant(mapping.gemm, datapath)
    return sums + steps.ofmap if preloaded else sums


def constant_reads(steps: Steps) -> np.ndarray:
    """Return the column constants read on chip in each step: the columns of each finished output tile."""
    return np.where(steps.ofmap > 0, steps.n, 0)


def accesses(mapping: Mapping, steps: Steps, accelerator: Accelerator, datapath: Datapath) -> tuple[Access, ...]:
    """Return the rows of all groups."""
    gemm, groups = mapping.gemm, mapping.gemm.groups
    homes = {operand: accelerator.memory_of(operand).name for operand in ("ifmap", "weight", "ofmap", "psum")}
    outputs = gemm.m * gemm.n * groups
    sums = int(psum_accesses(mapping, steps, datapath).sum()) * groups
    rows: list[Access] = []

    def add(memory: str, operand: str, action: str, count: int, bits: int) -> None:
        rows.append(Access(memory=memory, operand=operand, action=action, count=count, bits=bits))

    def loaded(operand: str, home: str, count: int, used: int, bits: int) -> None:
        add("dram", operand, "read", count, bits)
        add(home, operand, "write", count, bits)
        add(home, operand, "read", used, bits)

    for operand, moved, bits in (
        ("ifmap", steps.ifmap, gemm.ifmap.bits),
        ("weight", steps.weight, gemm.weight.bits),
    ):
        used = int(array_reads(mapping, steps, operand).sum()) * groups
        loaded(operand, homes[operand], int(moved.sum()) * groups, used, bits)
    add(homes["psum"], "psum", "write", sums, accumulator_bits(gemm, datapath))
    add(homes["psum"], "psum", "read", sums, accumulator_bits(gemm, datapath))
    add(homes["ofmap"], "ofmap", "write", outputs, gemm.ofmap.bits)
    add(homes["ofmap"], "ofmap", "read", outputs, gemm.ofmap.bits)
    add("dram", "ofmap", "write", outputs, gemm.ofmap.bits)
    if has_column_constant(gemm, datapath):
        used = int(constant_reads(steps).sum()) * groups
        loaded("bias", homes["weight"], gemm.n * groups, used, BIAS_BITS)
    return tuple(rows)


def port_cycles(mapping: Mapping, steps: Steps, accelerator: Accelerator, datapath: Datapath) -> np.ndarray:
    """Return the cycles that the busiest on-chip port needs for the array's accesses of each step."""
    gemm = mapping.gemm
    psum = psum_accesses(mapping, steps, datapath) * accumulator_bits(gemm, datapath)
    weight = array_reads(mapping, steps, "weight") * gemm.weight.bits
    if has_column_constant(gemm, datapath):
        weight = weight + constant_reads(steps) * BIAS_BITS
    read = {"ifmap": array_reads(mapping, steps, "ifmap") * gemm.ifmap.bits, "weight": weight, "psum": psum}
    write = {"psum": psum, "ofmap": steps.ofmap * gemm.ofmap.bits}
    return np.maximum(_busiest(accelerator, read, "read"), _busiest(accelerator, write, "write"))


def load_cycles(gemm: Gemm, steps: Steps, accelerator: Accelerator, datapath: Datapath) -> np.ndarray:
    """Return the cycles on the DRAM channel to load each step's operands; a narrow memory port holds the channel."""
    weight = steps.weight * gemm.weight.bits
    if has_column_constant(gemm, datapath):
        weight[0] += gemm.n * BIAS_BITS
    bits = {"ifmap": steps.ifmap * gemm.ifmap.bits, "weight": weight}
    channel = -(-sum(bits.values()) // accelerator.dram.bits_per_cycle)
    return np.maximum(channel, _busiest(accelerator, bits, "write"))


def store_cycles(gemm: Gemm, steps: Steps, accelerator: Accelerator) -> np.ndarray:
    """Return the cycles on the DRAM channel to store each step's results."""
    bits = steps.ofmap * gemm.ofmap.bits
    return np.maximum(-(-bits // accelerator.dram.bits_per_cycle), _busiest(accelerator, {"ofmap": bits}, "read"))


def _busiest(accelerator: Accelerator, bits: dict[str, np.ndarray], action: str) -> np.ndarray:
    """Return the cycles of the busiest port for ``bits`` per operand."""
    cycles = np.zeros_like(next(iter(bits.values())))
    for level in accelerator.memory:
        moved = sum((bits[operand] for operand in bits if operand in level.holds), np.zeros_like(cycles))
        width = level.read_bits_per_cycle if action == "read" else level.write_bits_per_cycle
        cycles = np.maximum(cycles, -(-moved // width))
    return cycles
