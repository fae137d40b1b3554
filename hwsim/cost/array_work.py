"""Arithmetic and registers of one array layer.

Every multiply-accumulate writes one register per operand that moves: both streams of an output-stationary array, one
stream and the partial sum of the others (``vertical_hop_registers`` of it). A stationary operand is shifted in over
(R + 1) / 2 rows on average, and the results of an output-stationary array are shifted out over (R + 1) / 2 rows or
(C + 1) / 2 columns. Registers of unused processing elements are gated.
"""

from __future__ import annotations

from hwsim.cost.array_cycles import drain_cycles
from hwsim.cost.ledger import Compute
from hwsim.cost.requantizers import second_bits
from hwsim.cost.steps import Steps
from hwsim.cost.traffic import array_reads
from hwsim.hardware.datapath import Datapath
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import accumulator_bits, has_column_constant, operand_bits, psum_bits


def array_work(mapping: Mapping, steps: Steps, datapath: Datapath) -> tuple[Compute, ...]:
    """Return the rows of all groups."""
    gemm = mapping.gemm
    ifmap, weight = operand_bits(gemm, datapath)
    widths = (datapath.multiplier_activation_bits or ifmap, datapath.multiplier_weight_bits or weight)
    psum, accumulator = psum_bits(mapping, datapath), accumulator_bits(gemm, datapath)
    outputs = gemm.m * gemm.n * gemm.groups
    rows = [
        Compute(unit="array", action="multiply_add", count=gemm.macs, a_bits=widths[0], b_bits=widths[1], sum_bits=psum)
    ]
    rows += [
        Compute(unit="array_register", action=operand, count=register_writes(mapping, steps, operand), a_bits=bits)
        for operand, bits in (("ifmap", ifmap), ("weight", weight), ("psum", psum))
    ]
    sums = int(array_reads(mapping, steps, "psum").sum()) * gemm.groups
    if not has_column_constant(gemm, datapath):
        sums -= outputs  # the first fold is written, not added
    rows.append(Compute(unit="accumulator", action="add", count=sums, a_bits=accumulator))
    if gemm.weight_asymmetric and datapath.zero_point == "folded":
        rows += [
            Compute(unit="column_sum", action="add", count=gemm.m * gemm.k * gemm.groups + outputs, a_bits=accumulator),
            Compute(unit="column_sum", action="multiply", count=outputs, a_bits=accumulator, b_bits=gemm.weight.bits),
        ]
    unit = datapath.requantizer
    second = second_bits(unit, gemm.ofmap.bits)
    rows.append(Compute(unit="requantizer", action=unit.scheme, count=outputs, a_bits=accumulator, b_bits=second))
    return tuple(rows)


def register_writes(mapping: Mapping, steps: Steps, operand: str) -> int:
    """Return how often registers of ``operand`` inside the array are written, all groups."""
    gemm, array = mapping.gemm, mapping.array
    moved = int(array_reads(mapping, steps, operand).sum()) * gemm.groups
    if operand == "psum":
        if array.flow.reduces_in_time:
            hops = drain_cycles(array)  # stay and add; then leave
            return gemm.macs + (moved * (hops + 1) // 2 if hops else 0)
        return gemm.macs * array.vertical_hop_registers
    return moved * (array.rows + 1) // 2 if operand == array.flow.stationary else gemm.macs
