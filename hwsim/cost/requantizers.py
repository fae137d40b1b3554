"""Energy and area of a requantizer, as the circuit that it is."""

from __future__ import annotations

from hwsim.energy import EnergyTable
from hwsim.hardware.requantizer_circuit import circuit


def requantize_pj(table: EnergyTable, scheme: str, accumulator_bits: int, second: int) -> float:
    """Return pJ of one output: ``second`` as ``second_bits`` gives it."""
    priced, bits = circuit(scheme, second)
    if priced == "thresholds":
        step_pj = table.vector_op_pj("compare", accumulator_bits) + table.vector_op_pj("lookup", accumulator_bits)
        return bits * step_pj
    return table.requantize_pj(priced, accumulator_bits, bits)


def requantizer_area_um2(table: EnergyTable, scheme: str, accumulator_bits: int, second: int) -> float:
    """Return um2 of one lane; of ``thresholds`` with the table of one channel, the others lie in the weight memory."""
    priced, bits = circuit(scheme, second)
    if priced == "thresholds":
        entries = (1 << bits) - 1
        return bits * table.adder_area_um2(accumulator_bits) + table.register_area_um2(entries * accumulator_bits)
    return table.requantizer_area_um2(priced, accumulator_bits, bits)
