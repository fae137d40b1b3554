"""The provenance report of a table: which law priced each component, from which source, how sure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hwsim.energy.compose import COMPOSITIONS
from hwsim.energy.records import ProvenanceRow

if TYPE_CHECKING:
    from hwsim.energy.table import EnergyTable

CACTI = "CACTI 7 (HewlettPackard/cacti@1ffd8df), objective ed2, 1 RW port"


def provenance_rows(table: EnergyTable) -> tuple[ProvenanceRow, ...]:
    """Return the rows of the laws (from the file), the memories, the compositions and the overrides, in that order."""
    return (*table.law_rows, *_supply(table), *_memories(table), *_compositions(), *_overrides(table))


def _supply(table: EnergyTable) -> list[ProvenanceRow]:
    tech = table.technology
    at = f"V = {tech.voltage_v:g}, Vnom = {tech.nominal_voltage_v:g} V"
    return [
        ProvenanceRow(
            component="supply voltage",
            formula=f"dynamic x (V/Vnom)^2, leakage x V/Vnom; {at}",
            source="charge of a capacitance; nominal voltages per node recalled",
            status="memory",
            uncertainty="neglects short-circuit current and DIBL",
        )
    ]


def _memories(table: EnergyTable) -> list[ProvenanceRow]:
    tech, device = table.technology, table.sram
    where = f"{CACTI}, {device.device}"
    rows = []
    if device.energy_law == "cacti":
        formula = "log-log in size, width and node; closed-form ratio outside; node_energy from the edge node"
        doubt = "left-out points: median 5 %, p90 20 % (read); against Horowitz 0.6-1.0"
        doubt += "; 3x below 22 nm" if tech.node_nm < 22 else ""
        rows.append(_row("sram_read_pj, sram_write_pj", formula, where, "own run", doubt))
    else:
        formula = "sram_root_pj from 8 KiB, register_file_fj_per_bit up to 1 KiB, log-log between; write = read"
        rows.append(_row("sram_read_pj, sram_write_pj", formula, "laws of this table", "derived", "3x below 8 KiB"))
    area = "log-log as the energy; node_area from the edge node outside 22..90 nm"
    rows.append(
        _row("sram_area_um2", area, where, "own run", "median 5 %, p90 10 % to CACTI; 2x below 22 nm and 1 KiB")
    )
    leak = f"value at 300 K x growth to {device.temperature_k:g} K; edge node's value outside 22..90 nm"
    rows.append(
        _row("sram_leakage_mw", leak, where, "own run", "10x; 10^4 between device classes; gate leakage not added")
    )
    for dram in table.dram_types:
        default = " (default)" if dram.name == table.dram_default else ""
        formula = f"{dram.pj_per_bit:g} pJ/bit{default}"
        rows.append(_row(f"dram {dram.name}", formula, dram.source, dram.status, dram.uncertainty))
    return rows


def _compositions() -> list[ProvenanceRow]:
    source, doubt = "composed from the laws above", "2x and the uncertainty of its parts"
    return [_row(name, formula, source, "derived", doubt) for name, formula in COMPOSITIONS]


def _overrides(table: EnergyTable) -> list[ProvenanceRow]:
    return [_row(o.key, f"{o.value:g}", o.source, o.status, "as stated") for o in table.overrides]


def _row(component: str, formula: str, source: str, status: str, uncertainty: str) -> ProvenanceRow:
    return ProvenanceRow(component=component, formula=formula, source=source, status=status, uncertainty=uncertainty)
