"""All ledger rows of one array layer."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from hwsim.cost.array_cycles import sequence_cycles, tile_cycles
from hwsim.cost.ledger import Compute, Cycles, LayerCost
from hwsim.cost.pipeline import finish_time
from hwsim.cost.steps import Steps, steps_of
from hwsim.cost.traffic import BIAS_BITS, accesses, array_reads, port_cycles
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.datapath import Datapath
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import operand_bits, register_bits


@lru_cache(maxsize=4096)
def array_layer(mapping: Mapping, accelerator: Accelerator, datapath: Datapath) -> LayerCost:
    """Return accesses, arithmetic and cycles of a GEMM with its mapping on a machine."""
    gemm = mapping.gemm
    steps = steps_of(mapping)
    accumulator = register_bits(datapath.accumulator, gemm, gemm.k)
    return LayerCost(
        accesses=accesses(mapping, steps, accelerator, accumulator),
        compute=_compute(mapping, steps, datapath, accumulator),
        cycles=array_cycles(mapping, accelerator, datapath),
        macs=gemm.macs,
    )


def dram_bits(mapping: Mapping) -> int:
    """Return the bits that cross the chip's edge, biases left out."""
    gemm, steps = mapping.gemm, steps_of(mapping)
    one = (
        int(steps.ifmap.sum()) * gemm.ifmap.bits
        + int(steps.weight.sum()) * gemm.weight.bits
        + int(steps.ofmap.sum()) * gemm.ofmap.bits
    )
    return one * gemm.groups


def array_cycles(mapping: Mapping, accelerator: Accelerator, datapath: Datapath) -> Cycles:
    """Return the cycles of a GEMM: the array's own, and the stalls that memory, ports and requantizers add."""
    gemm, array, dram, steps = mapping.gemm, mapping.array, accelerator.dram, steps_of(mapping)
    accumulator_bits = register_bits(datapath.accumulator, gemm, gemm.k)
    ideal = sequence_cycles(array, steps.sizes(), gemm.groups)
    busy = np.sum(tile_cycles(array, steps.sizes()), axis=0)
    stretched = np.maximum(busy, port_cycles(mapping, steps, accelerator, accumulator_bits))
    stretched = np.maximum(stretched, -(-steps.ofmap // accelerator.vector.requantizer_lanes))
    load_bits = steps.ifmap * gemm.ifmap.bits + steps.weight * gemm.weight.bits
    if gemm.has_bias:
        load_bits[0] += gemm.n * BIAS_BITS
    end = finish_time(
        -(-load_bits // dram.bits_per_cycle),
        stretched,
        -(-(steps.ofmap * gemm.ofmap.bits) // dram.bits_per_cycle),
        latency=dram.latency_cycles,
        double_buffered=all(accelerator.memory_of(operand).double_buffered for operand in ("ifmap", "weight")),
        repeats=gemm.groups,
    )
    stall = end - int(busy.sum()) * gemm.groups
    return Cycles(compute=ideal.compute, fill=ideal.fill, drain=ideal.drain, stall=stall)


def _compute(mapping: Mapping, steps: Steps, datapath: Datapath, accumulator_bits: int) -> tuple[Compute, ...]:
    """Arithmetic and registers.

    Every multiply-accumulate writes one register per operand that moves: both streams of an output-stationary array,
    one stream and the partial sum of the others. A stationary operand is shifted in over (R + 1) / 2 rows on average.
    """
    gemm, flow = mapping.gemm, mapping.array.flow
    ifmap, weight = operand_bits(gemm, datapath)
    a = datapath.multiplier_activation_bits or ifmap
    b = datapath.multiplier_weight_bits or weight
    psum = register_bits(datapath.psum, gemm, max(mapping.k_segments))
    widths = {"ifmap": ifmap, "weight": weight, "psum": psum}
    macs, groups = gemm.macs, gemm.groups
    rows = [Compute(unit="array", action="multiply_add", count=macs, a_bits=a, b_bits=b, sum_bits=psum)]
    for operand, bits in widths.items():
        count = macs
        if operand == flow.stationary and operand != "psum":
            count = int(array_reads(mapping, steps, operand).sum()) * groups * (mapping.array.rows + 1) // 2
        rows.append(Compute(unit="array_register", action=operand, count=count, a_bits=bits))
    sums = int(array_reads(mapping, steps, "psum").sum()) * groups
    outputs = gemm.m * gemm.n * groups
    rows.append(Compute(unit="accumulator", action="add", count=sums, a_bits=accumulator_bits))
    if gemm.weight_asymmetric and datapath.zero_point == "folded":
        rows.append(Compute(unit="column_sum", action="add", count=gemm.m * gemm.k * groups, a_bits=accumulator_bits))
    unit = datapath.requantizer
    rows.append(
        Compute(
            unit="requantizer", action=unit.scheme, count=outputs, a_bits=accumulator_bits, b_bits=unit.multiplier_bits
        )
    )
    return tuple(rows)
