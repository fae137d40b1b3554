"""The three reports of SCALE-Sim, in its columns, its layout and its way of writing numbers.

    COMPUTE_REPORT.csv           cycles, stalls and utilization
    BANDWIDTH_REPORT.csv         average words a cycle of each SRAM and of the DRAM
    DETAILED_ACCESS_REPORT.csv   first and last cycle, and words, of each SRAM and of the DRAM

A row ends with a comma, fields are parted by a comma and a space, layers are numbered from 0. Numbers are written as Python
writes them: cycles of accesses are floats there. A field is empty where a value is None.

Source: SCALE-Sim 3.0.0, simulator.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

OPERANDS = ("ifmap", "filter", "ofmap")
_LETTERS = {"ifmap": "IFMAP", "filter": "Filter", "ofmap": "OFMAP"}
_WORDS = {"ifmap": "Reads", "filter": "Reads", "ofmap": "Writes"}
COMPUTE_HEADER = (
    "LayerID",
    "Total Cycles (incl. prefetch)",
    "Total Cycles",
    "Stall Cycles",
    "Overall Util %",
    "Mapping Efficiency %",
    "Compute Util %",
)
BANDWIDTH_HEADER = (
    "LayerID",
    *(f"Avg {name} {memory} BW" for memory in ("SRAM", "DRAM") for name in ("IFMAP", "FILTER", "OFMAP")),
)
ACCESS_HEADER = (
    "LayerID",
    *(
        f"{memory} {_LETTERS[operand]} {what}"
        for memory in ("SRAM", "DRAM")
        for operand in OPERANDS
        for what in ("Start Cycle", "Stop Cycle", _WORDS[operand])
    ),
)

Cell = int | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The traffic of an operand at one memory.

    Args:
        words: words read (ifmap, filter) or written (ofmap).
        start_cycle, stop_cycle: cycles of the first and the last one; negative before the array starts.
    """

    words: int | None = None
    start_cycle: int | None = None
    stop_cycle: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerReport:
    """What SCALE-Sim reports of a layer; None where nothing is claimed.

    Args:
        cycles: index of the layer's last cycle, one less than the cycles that pass; with stalls where they are stated.
        prefetch_cycles: the same from the first prefetch to the last write to DRAM.
        stall_cycles: cycles in which the array waits.
        overall_percent, mapping_percent, compute_percent: utilization of the array.
        sram, dram: traffic by operand (``ifmap``, ``filter``, ``ofmap``).
    """

    cycles: int
    prefetch_cycles: int | None
    stall_cycles: int | None
    overall_percent: float | None
    mapping_percent: float
    compute_percent: float
    sram: Mapping[str, Access]
    dram: Mapping[str, Access]


def write_reports(folder: str | Path, reports: Iterable[LayerReport]) -> tuple[Path, ...]:
    """Write the three reports of a network into ``folder``, made if absent, and return their paths."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rows = list(reports)
    tables = {
        "COMPUTE_REPORT.csv": (COMPUTE_HEADER, [_compute(row) for row in rows]),
        "BANDWIDTH_REPORT.csv": (BANDWIDTH_HEADER, [_bandwidth(row) for row in rows]),
        "DETAILED_ACCESS_REPORT.csv": (ACCESS_HEADER, [_accesses(row) for row in rows]),
    }
    for name, (header, cells) in tables.items():
        lines = [_line(header), *(_line((str(index), *map(_shown, row))) for index, row in enumerate(cells))]
        (folder / name).write_text("".join(lines), encoding="utf-8", newline="\n")
    return tuple(folder / name for name in tables)


def _line(fields: Sequence[str]) -> str:
    return ", ".join(fields) + ",\n"


def _shown(cell: Cell) -> str:
    return "" if cell is None else str(cell)


def _compute(row: LayerReport) -> list[Cell]:
    return [
        row.prefetch_cycles,
        row.cycles,
        row.stall_cycles,
        row.overall_percent,
        row.mapping_percent,
        row.compute_percent,
    ]


def _bandwidth(row: LayerReport) -> list[Cell]:
    cells: list[Cell] = []
    for operand in OPERANDS:
        words = row.sram[operand].words
        cells.append(None if words is None or row.stall_cycles is None else words / row.cycles)
    for operand in OPERANDS:
        access = row.dram[operand]
        if access.words is None or access.start_cycle is None or access.stop_cycle is None:
            cells.append(None)
        else:
            cells.append(access.words / (access.stop_cycle - access.start_cycle + 1))
    return cells


def _accesses(row: LayerReport) -> list[Cell]:
    cells: list[Cell] = []
    for memory in (row.sram, row.dram):
        for operand in OPERANDS:
            access = memory[operand]
            cells += [_float(access.start_cycle), _float(access.stop_cycle), access.words]
    return cells


def _float(value: int | None) -> float | None:
    return None if value is None else float(value)
