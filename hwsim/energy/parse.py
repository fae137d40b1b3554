"""From the merged content of a table file to an ``EnergyTable``: every problem of the file is reported at once."""

import dataclasses
from typing import Any

from hwsim.energy.lawbook import Laws
from hwsim.energy.override import read_overrides
from hwsim.energy.reader import Section
from hwsim.energy.records import DEVICES, STATUSES, DramType, ProvenanceRow, SramClass, Technology
from hwsim.energy.scaling import NODE_RANGE_NM
from hwsim.energy.sram import TEMPERATURE_RANGE_K
from hwsim.energy.table import EnergyTable
from hwsim.errors import ConfigError

ENERGY_LAWS = ("cacti", "root")
CACTI_ABOVE_NM = 10


def parse_table(name: str, where: str, content: dict[str, Any]) -> EnergyTable:
    """Return the table, or raise ``ConfigError`` with one line for each problem."""
    problems: list[str] = []
    top = Section("", content, problems)
    top.only(("base", "description", "technology", "sram", "dram", "laws", "overrides"))
    description = top.text("description")
    technology = _technology(top.section("technology"))
    sram = _sram(top.section("sram"), technology.node_nm)
    laws, law_rows = _laws(top.section("laws"))
    dram_default, dram_types = _dram(top.section("dram"))
    overrides = read_overrides(Section("overrides", content.get("overrides", {}), problems))
    if problems:
        raise ConfigError(where, problems)
    return EnergyTable(
        name=name,
        description=description,
        technology=technology,
        sram=sram,
        laws=laws,
        dram_default=dram_default,
        dram_types=dram_types,
        overrides=overrides,
        law_rows=law_rows,
    )


def _technology(section: Section) -> Technology:
    low, high = NODE_RANGE_NM
    section.only(("node_nm", "voltage_v", "nominal_voltage_v", "reference_node_nm"))
    nominal = section.number("nominal_voltage_v", low=0.1, high=5)
    voltage = section.number("voltage_v", low=0.1, high=5)
    if voltage > 1.5 * nominal or voltage < 0.5 * nominal:
        section.note(
            f"technology.voltage_v must be within 0.5 to 1.5 of nominal_voltage_v ({nominal:g}), not {voltage:g}"
        )
    return Technology(
        node_nm=section.number("node_nm", low=low, high=high),
        voltage_v=voltage,
        nominal_voltage_v=nominal,
        reference_node_nm=section.number("reference_node_nm", low=low, high=high),
    )


def _sram(section: Section, node_nm: float) -> SramClass:
    section.only(("device", "temperature_k", "energy_law"))
    low, high = TEMPERATURE_RANGE_K
    energy_law = section.text("energy_law", options=ENERGY_LAWS)
    if energy_law == "cacti" and node_nm <= CACTI_ABOVE_NM:
        section.note(
            f"sram.energy_law 'cacti' holds above {CACTI_ABOVE_NM} nm (it is 8x below TPUv4i at 7 nm), but "
            f"technology.node_nm is {node_nm:g}; use 'root' with laws.sram_root_pj, or base = \"generic_7nm\""
        )
    return SramClass(
        device=section.text("device", options=DEVICES),
        temperature_k=section.number("temperature_k", low=low, high=high),
        energy_law=energy_law,
    )


def _laws(section: Section) -> tuple[Laws, tuple[ProvenanceRow, ...]]:
    fields = dataclasses.fields(Laws)
    section.only(field.name for field in fields)
    laws, rows = {}, []
    for field in fields:
        assert isinstance(field.type, type)
        laws[field.name], row = _law(field.type, section.section(field.name), field.name)
        rows.append(row)
    return Laws(**laws), tuple(rows)


def _law(kind: type[Any], section: Section, name: str) -> tuple[Any, ProvenanceRow]:
    fields = dataclasses.fields(kind)
    section.only((*(field.name for field in fields), "source", "status", "uncertainty"))
    values: dict[str, Any] = {}
    for field in fields:
        if field.type is float:
            low = -1e9 if field.name in ("linear", "less_bits") else 0.0
            default = None if field.default is dataclasses.MISSING else float(field.default)
            values[field.name] = section.number(field.name, default=default, low=low)
        else:
            values[field.name] = section.numbers(field.name)
    if "nodes_nm" in values:
        _check_matrix(section, values["nodes_nm"], values["factors"])
    law = kind(**values)
    if "linear" in values and law(1, 1) <= 0:
        section.note(f"{section.path} gives {law(1, 1):g} for 1 x 1 bits; it must be positive: state a larger floor")
    return law, ProvenanceRow(
        component=name,
        formula=kind.formula.format(**values),
        source=section.text("source"),
        status=section.text("status", options=STATUSES),
        uncertainty=section.text("uncertainty"),
    )


def _check_matrix(section: Section, nodes_nm: tuple[float, ...], factors: tuple[float, ...]) -> None:
    if list(nodes_nm) != sorted(set(nodes_nm)):
        section.note(f"{section.path}.nodes_nm must rise, not {list(nodes_nm)}")
    if len(nodes_nm) != len(factors):
        section.note(f"{section.path} must have one factor for each node, not {len(factors)} for {len(nodes_nm)}")


def _dram(section: Section) -> tuple[str, tuple[DramType, ...]]:
    section.only(("default", "types"))
    types = section.section("types")
    records = []
    for name, content in types.content.items():
        entry = Section(types.at(name), content, section.problems)
        entry.only(("pj_per_bit", "source", "status", "uncertainty"))
        records.append(
            DramType(
                name=name,
                pj_per_bit=entry.number("pj_per_bit", low=0.0),
                source=entry.text("source"),
                status=entry.text("status", options=STATUSES),
                uncertainty=entry.text("uncertainty", default="2x"),
            )
        )
    return section.text("default", options=[record.name for record in records]), tuple(records)
