"""Price the ledger: every row times the energy table's price of its action.

On-chip memories are priced per access of their port: bits moved over the port's width, elements packed. The clock and
control take the table's share of all dynamic on-chip energy; leakage is what logic and memories leak over the layer's time.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from typing import Any

from hwsim.cost.banks import bank_of
from hwsim.cost.decoders import DECODER, PRODUCTS, decoder_pj, product_pj
from hwsim.cost.ledger import Access, Compute, LayerCost
from hwsim.cost.requantizers import requantize_pj
from hwsim.cost.scalers import FLOAT32, FLOAT_ADD, SCALER, scaler_pj
from hwsim.energy import EnergyTable
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.modes import mode_of
from hwsim.tables import Table
from hwsim.units import MEGA

COLUMNS = ("layer", "component", "operand", "energy_pj")
PJ_PER_MW_CYCLE_MHZ = 1e-3 * 1e12 / MEGA


def energy_table(
    costs: MappingType[str, LayerCost], accelerator: Accelerator, table: EnergyTable, leakage_mw: float
) -> Table:
    """Return the energy rows of all layers.

    Args:
        costs: ledger rows by layer.
        accelerator: the machine.
        table: its prices.
        leakage_mw: of the whole chip.
    """
    rows: list[tuple[Any, ...]] = []
    for layer, cost in costs.items():
        sums: dict[tuple[str, str], float] = {}
        for access in cost.accesses:
            key = (access.memory, access.operand)
            sums[key] = sums.get(key, 0.0) + access_pj(access, accelerator, table)
        for compute in cost.compute:
            key = component_of(compute)
            sums[key] = sums.get(key, 0.0) + compute_pj(compute, table)
        dynamic = sum(value for (component, _), value in sums.items() if component != "dram")
        sums["clock", ""] = dynamic * table.clock_overhead
        sums["leakage", ""] = leakage_mw * cost.cycles.total / accelerator.clock_mhz * PJ_PER_MW_CYCLE_MHZ
        rows += [(layer, component, operand, value) for (component, operand), value in sums.items()]
    return Table.of(COLUMNS, rows)


def access_pj(access: Access, accelerator: Accelerator, table: EnergyTable) -> float:
    """Return the energy of a memory row."""
    bits = access.count * access.bits
    if access.memory == "dram":
        return bits * table.dram_pj_per_bit(accelerator.dram.kind)
    level = next(level for level in accelerator.memory if level.name == access.memory)
    width = level.read_bits_per_cycle if access.action == "read" else level.write_bits_per_cycle
    bank_bytes, width = bank_of(level, width)
    price = table.sram_read_pj if access.action == "read" else table.sram_write_pj
    return bits / width * price(bank_bytes, width)


def compute_pj(row: Compute, table: EnergyTable) -> float:
    """Return the energy of an arithmetic row."""
    if row.unit == "array_gated":
        return 0.0
    if row.unit == "array":
        return row.count * _product_pj(row, table)
    if row.action == FLOAT_ADD:
        return row.count * table.float_add_pj(*FLOAT32)
    if row.unit == DECODER:
        return row.count * decoder_pj(table, row.action, row.a_bits, row.b_bits)
    if row.unit == SCALER:
        return row.count * scaler_pj(table, row.action, row.a_bits, row.b_bits)
    if row.unit == "array_sum" or (row.unit == "accumulator" and row.action != "add"):
        return row.count * mode_of(row.action).sum_pj(table, row.a_bits)
    if row.unit == "array_register":
        return row.count * table.register_write_pj(row.a_bits)
    if row.unit in ("accumulator", "column_sum"):
        price = table.multiply_pj(row.a_bits, row.b_bits) if row.action == "multiply" else table.add_pj(row.a_bits)
        return row.count * price
    if row.unit == "requantizer":
        return row.count * requantize_pj(table, row.action, row.a_bits, row.b_bits)
    return row.count * table.vector_op_pj(row.action, row.a_bits)


def _product_pj(row: Compute, table: EnergyTable) -> float:
    if row.action == "multiply_add":
        return table.mac_pj(row.a_bits, row.b_bits, row.sum_bits)
    if row.action in PRODUCTS:
        return product_pj(table, row)
    if row.action == "select":
        return table.select_pj(row.a_bits, row.b_bits)
    return mode_of(row.action).product_pj(table, row.a_bits, row.b_bits)


def component_of(row: Compute) -> tuple[str, str]:
    """Return (component, operand) under which an arithmetic row is reported."""
    if row.unit in ("array", "array_sum", "array_gated"):
        return "mac", ""
    if row.unit == "array_register":
        return "array_registers", row.action
    if row.unit == "accumulator":
        return "accumulator_adders", "psum"
    if row.unit == "column_sum":
        return "column_sums", "ifmap"
    if row.unit == DECODER:
        return "decoders", "weight"
    if row.unit == SCALER:
        return "segment_scalers", "psum"
    return row.unit, ""
