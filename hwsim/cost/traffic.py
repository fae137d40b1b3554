"""Memory rows of an array layer: what the array reads and writes on chip, and what crosses the chip's edge.

On chip, generic from the dataflow: a tile's operand is read once for every fold along a dimension that it does not have
(an ifmap once per column fold when columns run along n), a stationary one once per tile. Partial sums are written to the
accumulator memory after every fold along k, and read back before every one but the first; the finished ones are read once
more, requantized and written to the memory of the ofmap. im2col is a read pattern: an overlapping pixel is read again on
chip, and loaded once per tile from DRAM.
"""

from __future__ import annotations

import numpy as np

from hwsim.cost.array_cycles import folds_of
from hwsim.cost.ledger import Access
from hwsim.cost.steps import Steps
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.dataflow import OPERAND_DIMENSIONS
from hwsim.mapping.mapping import Mapping

BIAS_BITS = 32


def array_reads(mapping: Mapping, steps: Steps, operand: str) -> np.ndarray:
    """Return the elements of ``operand`` (ifmap, weight or psum) that pass the array's edge in each step, one group."""
    sizes = steps.sizes()
    folds = folds_of(mapping.array, sizes)
    own = OPERAND_DIMENSIONS[operand]
    elements = np.prod([sizes[dim] for dim in own], axis=0)
    repeats = np.prod([folds[dim] for dim in "mkn" if dim not in own], axis=0)
    return elements * repeats


def accesses(mapping: Mapping, steps: Steps, accelerator: Accelerator, accumulator_bits: int) -> tuple[Access, ...]:
    """Return the rows of all groups."""
    gemm, groups = mapping.gemm, mapping.gemm.groups
    homes = {operand: accelerator.memory_of(operand).name for operand in ("ifmap", "weight", "ofmap", "psum")}
    outputs = gemm.m * gemm.n * groups
    written = int(array_reads(mapping, steps, "psum").sum()) * groups
    loads = {"ifmap": int(steps.ifmap.sum()) * groups, "weight": int(steps.weight.sum()) * groups}
    bits = {"ifmap": gemm.ifmap.bits, "weight": gemm.weight.bits}
    rows = []
    for operand, count in loads.items():
        used = int(array_reads(mapping, steps, operand).sum()) * groups
        rows += [
            Access(memory="dram", operand=operand, action="read", count=count, bits=bits[operand]),
            Access(memory=homes[operand], operand=operand, action="write", count=count, bits=bits[operand]),
            Access(memory=homes[operand], operand=operand, action="read", count=used, bits=bits[operand]),
        ]
    rows += [
        Access(memory=homes["psum"], operand="psum", action="write", count=written, bits=accumulator_bits),
        Access(memory=homes["psum"], operand="psum", action="read", count=written, bits=accumulator_bits),
        Access(memory=homes["ofmap"], operand="ofmap", action="write", count=outputs, bits=gemm.ofmap.bits),
        Access(memory=homes["ofmap"], operand="ofmap", action="read", count=outputs, bits=gemm.ofmap.bits),
        Access(memory="dram", operand="ofmap", action="write", count=outputs, bits=gemm.ofmap.bits),
    ]
    if gemm.has_bias:
        rows.append(Access(memory="dram", operand="bias", action="read", count=gemm.n * groups, bits=BIAS_BITS))
    return tuple(rows)


def port_cycles(mapping: Mapping, steps: Steps, accelerator: Accelerator, accumulator_bits: int) -> np.ndarray:
    """Return the cycles that the busiest on-chip port needs for each step: bits moved over the port's width."""
    gemm = mapping.gemm
    bits = {"ifmap": gemm.ifmap.bits, "weight": gemm.weight.bits, "psum": accumulator_bits}
    busiest = np.zeros_like(steps.m)
    for level in accelerator.memory:
        read, write = np.zeros_like(steps.m), np.zeros_like(steps.m)
        for operand in ("ifmap", "weight", "psum"):
            if operand in level.holds:
                moved = array_reads(mapping, steps, operand) * bits[operand]
                read = read + moved
                if operand == "psum":
                    write = write + moved
        if "ofmap" in level.holds:
            write = write + steps.ofmap * gemm.ofmap.bits
        busiest = np.maximum(busiest, -(-read // level.read_bits_per_cycle))
        busiest = np.maximum(busiest, -(-write // level.write_bits_per_cycle))
    return busiest
