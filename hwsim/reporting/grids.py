"""The tables of the page: headings, cells with the text to show and the value to sort by, and a last line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hwsim.reporting.palette import colours
from hwsim.reporting.query import (
    NO_OPERAND,
    components,
    energy_by_component_and_operand,
    operands,
    pivot,
    share,
    total,
)
from hwsim.reporting.words import NONE, energy, is_number, percent, quantity, visible
from hwsim.simulation.result import Result
from hwsim.units import BITS_PER_BYTE

UM2_PER_MM2 = 1e6
Writer = Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class Head:
    """A heading; the column of a number stands right."""

    title: str
    number: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """What to show, what to sort by, and the colour of a swatch before it."""

    text: str
    value: str = ""
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of the page."""

    heads: Sequence[Head]
    rows: Sequence[Sequence[Cell]]
    foot: Sequence[Cell] = ()


def as_bytes(value: Any) -> str:
    """Write an amount of data."""
    return quantity(value, "B")


def as_text(value: Any) -> str:
    """Write a name."""
    return NONE if value is None else visible(value)


def energy_grid(result: Result) -> Grid:
    """Return pJ by component and operand, with shares."""
    totals = dict(components(result))
    return _pivot_grid("component", energy_by_component_and_operand(result), totals, energy)


def traffic_grid(result: Result) -> Grid:
    """Return bytes moved by memory and operand, reads and writes together."""
    moved = [
        None if count is None or bits is None else count * bits / BITS_PER_BYTE
        for count, bits in zip(result.accesses["count"], result.accesses["bits"], strict=True)
    ]
    sums = pivot(result.accesses, "memory", "operand", moved)
    totals = {name: sum(cells.values()) for name, cells in sums.items()}
    ordered = {name: sums[name] for name in sorted(sums, key=lambda name: -totals[name])}
    return _pivot_grid("memory", ordered, totals, as_bytes)


def _pivot_grid(first: str, sums: dict[str, dict[str, float]], totals: Mapping[str, float], write: Writer) -> Grid:
    kinds, whole, colour = operands(sums), sum(totals.values()), colours(totals)
    heads = [Head(first), *(Head("no operand" if kind == NO_OPERAND else visible(kind), True) for kind in kinds)]
    rows = []
    for name, cells in sums.items():
        numbers = [Cell(write(cells[kind]) if kind in cells else "") for kind in kinds]
        last = (Cell(write(totals[name])), Cell(f"{percent(share(totals[name], whole))} %"))
        rows.append([Cell(visible(name), colour=colour[name]), *numbers, *last])
    down = [Cell(write(sum(cells.get(kind, 0) for cells in sums.values()))) for kind in kinds]
    return Grid(
        [*heads, Head("total", True), Head("share", True)], rows, [Cell("total"), *down, Cell(write(whole)), Cell("")]
    )


def area_grid(result: Result) -> Grid:
    """Return the area by component."""
    whole = total(result.area["area_um2"]) if len(result.area) else None
    heads = (Head("component"), Head("area", True), Head("share", True), Head("source"))
    rows = [
        (
            Cell(as_text(row["component"])),
            Cell(_area(row["area_um2"])),
            Cell(percent(share(row["area_um2"], whole)) + " %"),
            Cell(as_text(row.get("source"))),
        )
        for row in result.area.rows()
    ]
    return Grid(heads, rows, (Cell("total"), Cell(_area(whole)), Cell(""), Cell("")))


def _area(um2: Any) -> str:
    return f"{um2 / UM2_PER_MM2:.4f} mm²" if is_number(um2) else NONE


def text_grid(rows: Iterable[Mapping[str, Any]]) -> Grid | None:
    """Return any records as a table of text, or None without records."""
    listed = [dict(row) for row in rows]
    names = list(dict.fromkeys(name for row in listed for name in row))
    cells = [[Cell("" if row.get(name) is None else visible(row[name])) for name in names] for row in listed]
    return Grid([Head(visible(name)) for name in names], cells) if listed else None
