"""The columns of the per-layer screen: what they show, and which of them a narrow terminal keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hwsim.reporting.query import column, components, energy_by_component_and_layer, share, total
from hwsim.reporting.words import decibel, energy, is_number, percent, quantity, visible
from hwsim.simulation.result import Result

GAP = 2
"""Characters between two columns."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the screen: ``rank`` 0 always stays, the highest rank leaves first."""

    title: str
    cells: tuple[str, ...]
    foot: str
    rank: int
    right: bool = True

    @property
    def width(self) -> int:
        """Characters of the widest entry."""
        return max(len(text) for text in (self.title, self.foot, *self.cells))


def screen_columns(result: Result) -> list[Column]:
    """Return every column but the layer's name, in order from left to right, with its total."""
    layers, summary = result.layers, result.summary

    def made(title: str, name: str, write: Callable[[Any], str], rank: int, foot: Any) -> Column:
        return Column(title, tuple(write(value) for value in column(layers, name)), write(foot), rank)

    overflows = summary.get("overflow_events")
    columns = [
        Column("op", tuple(visible(op) for op in layers["op"]), "", 5, right=False),
        made("MACs", "macs", quantity, 0, summary.get("macs", total(layers["macs"]))),
        made("cycles", "cycles", quantity, 0, summary.get("cycles", total(layers["cycles"]))),
        made("util %", "utilization", percent, 4, summary.get("utilization")),
        made("DRAM", "dram_bytes", _bytes, 2, summary.get("dram_bytes", total(layers["dram_bytes"]))),
        made("energy", "energy_pj", energy, 0, summary.get("energy_pj", total(layers["energy_pj"]))),
    ]
    if any(value is not None for value in (*column(layers, "sqnr_db"), summary.get("sqnr_db"))):
        columns.append(made("SQNR dB", "sqnr_db", decibel, 1, summary.get("sqnr_db")))
    if any(value is not None for value in (*column(layers, "overflow_events"), overflows)):
        columns.append(made("ovflow", "overflow_events", quantity, 3, overflows))
    return columns


def fitting(columns: Sequence[Column], space: int) -> list[Column]:
    """Return the columns that fit into ``space`` characters: those of high rank leave first, from the right."""
    kept = list(columns)
    while width_of(kept) > space:
        worst = max(kept, key=lambda item: (item.rank, kept.index(item)), default=None)
        if worst is None or worst.rank == 0:
            break
        kept.remove(worst)
    return kept


def width_of(columns: Sequence[Column]) -> int:
    """Return the characters that columns take, each with the gap before it."""
    return sum(item.width + GAP for item in columns)


def top_rows(result: Result, limit: int) -> list[int]:
    """Return the rows to show, in order of execution: all, or the ``limit`` with the largest share of energy or cycles."""
    count = len(result.layers)
    if count <= limit:
        return list(range(count))
    weights = [_weights(column(result.layers, name)) for name in ("energy_pj", "cycles")]
    order = sorted(range(count), key=lambda index: (-max(weight[index] for weight in weights), index))
    return sorted(order[:limit])


def _weights(values: Sequence[Any]) -> list[float]:
    whole = total(values) or 1
    return [value / whole if is_number(value) else 0.0 for value in values]


def share_columns(result: Result) -> list[Column]:
    """Return each component's part of a layer's energy in percent, the largest component first."""
    rows = energy_by_component_and_layer(result)
    layer_pj = column(result.layers, "energy_pj")
    whole = sum(value for _, value in components(result))
    made = []
    for position, (name, value) in enumerate(components(result)):
        parts = [share(part, of) for part, of in zip(rows[name], layer_pj, strict=True)]
        cells = tuple(percent(part, 0) for part in parts)
        title = visible(name) if len(name) <= 8 else f"{visible(name)[:7]}."
        made.append(Column(f"{title} %", cells, percent(share(value, whole), 0), 1 + position))
    return made


def _bytes(value: Any) -> str:
    return quantity(value, "B")


def hidden_line(result: Result, shown: Sequence[int]) -> str | None:
    """Say how many layers are not shown and what they weigh; None when all are."""
    hidden = sorted(set(range(len(result.layers))) - set(shown))
    if not hidden:
        return None
    parts: Mapping[str, list[float]] = {
        word: _weights(column(result.layers, name)) for word, name in (("energy", "energy_pj"), ("cycles", "cycles"))
    }
    weight = " and ".join(f"{percent(sum(values[i] for i in hidden))} % of {word}" for word, values in parts.items())
    return f"{len(hidden)} of {len(result.layers)} layers not shown, {weight}; layers.csv of the report has all of them"
