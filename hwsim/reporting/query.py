"""Questions that several parts of the report ask of a Result's tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hwsim.reporting.words import is_number
from hwsim.simulation.result import Result
from hwsim.tables import Table

NO_OPERAND = "none"


def column(table: Table, name: str) -> tuple[Any, ...]:
    """Return a column, or None for every row of a table that lacks it (numbers of a cost-only run)."""
    return table[name] if name in table.columns else (None,) * len(table)


def operand_name(operand: object) -> str:
    """Return the name of an operand in the report; energy of no operand is arithmetic, leakage or clock."""
    return str(operand) if operand not in (None, "") else NO_OPERAND


def components(result: Result) -> list[tuple[str, float]]:
    """Return ``(component, pJ)``, the largest first."""
    totals = result.energy.sum_by("component", "energy_pj")
    return sorted(((str(name), float(value)) for name, value in totals.items()), key=lambda item: (-item[1], item[0]))


def energy_by_component_and_layer(result: Result) -> dict[str, list[float]]:
    """Return pJ of each component (the largest first) for each row of ``layers``; energy of no layer is left out."""
    place = {name: index for index, name in enumerate(result.layers["layer"])}
    table = {name: [0.0] * len(place) for name, _ in components(result)}
    rows = zip(result.energy["layer"], result.energy["component"], result.energy["energy_pj"], strict=True)
    for layer, component, value in rows:
        if layer in place and value is not None:
            table[str(component)][place[layer]] += value
    return table


def pivot(table: Table, row: str, across: str, values: Sequence[Any]) -> dict[str, dict[str, float]]:
    """Sum ``values`` (one per row of ``table``) per value of two columns: ``{row: {across: sum}}``, None is nothing."""
    sums: dict[str, dict[str, float]] = {}
    for first, second, value in zip(table[row], table[across], values, strict=True):
        if value is not None:
            cells = sums.setdefault(str(first), {})
            cells[operand_name(second)] = cells.get(operand_name(second), 0) + value
    return sums


def energy_by_component_and_operand(result: Result) -> dict[str, dict[str, float]]:
    """Return ``{component: {operand: pJ}}``, the largest component first."""
    sums = pivot(result.energy, "component", "operand", result.energy["energy_pj"])
    return {name: sums[name] for name, _ in components(result) if name in sums}


def operands(sums: dict[str, dict[str, float]]) -> list[str]:
    """Return the operands of a pivot in the order ifmap, weight, psum, ofmap, others, none."""
    found = dict.fromkeys(operand for cells in sums.values() for operand in cells)
    known = ("ifmap", "weight", "psum", "ofmap")
    rank = {name: index for index, name in enumerate(known)}
    return sorted(found, key=lambda name: (name == NO_OPERAND, rank.get(name, len(known))))


def total(values: Sequence[Any]) -> float | int | None:
    """Sum what is a finite number; None when nothing is."""
    numbers = [value for value in values if is_number(value)]
    return sum(numbers) if numbers else None


def share(part: Any, whole: Any) -> float | None:
    """Return ``part / whole``, or None where that has no meaning."""
    return part / whole if is_number(part) and is_number(whole) and whole else None
