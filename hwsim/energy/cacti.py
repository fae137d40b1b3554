"""The committed CACTI 7 sweep: access energy, leakage and area of SRAM macros, read once and interpolated log-log."""

from __future__ import annotations

import csv
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent / "tables"
QUANTITIES = ("read_pj", "write_pj", "leakage_mw", "area_mm2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """One quantity of one node and device over size (rows) and word width (columns), as natural logarithms."""

    sizes_bytes: tuple[int, ...]
    widths_bits: tuple[int, ...]
    logs: tuple[tuple[float, ...], ...]

    @classmethod
    def of(cls, points: Mapping[tuple[int, int], float]) -> Grid:
        """Build from values at ``(size_bytes, width_bits)``.

        A corner that CACTI cannot build (1 KiB of 512 bits) is completed from its three neighbours, as if size and
        width acted independently there.
        """
        sizes = tuple(sorted({size for size, _ in points}))
        widths = tuple(sorted({width for _, width in points}))
        logs = {point: math.log(value) for point, value in points.items()}
        for i, size in enumerate(sizes):
            for j, width in enumerate(widths):
                if (size, width) not in logs:
                    larger, narrower = sizes[i + 1], widths[j - 1]
                    logs[size, width] = logs[larger, width] + logs[size, narrower] - logs[larger, narrower]
        return cls(
            sizes_bytes=sizes,
            widths_bits=widths,
            logs=tuple(tuple(logs[size, width] for width in widths) for size in sizes),
        )

    def __call__(self, size_bytes: float, width_bits: float) -> float:
        """Return the value at a point inside the grid (a point outside is moved to the nearest edge)."""
        i, x = _cell(self.sizes_bytes, size_bytes)
        j, y = _cell(self.widths_bits, width_bits)
        near = self.logs[i][j] + y * (self.logs[i][j + 1] - self.logs[i][j])
        far = self.logs[i + 1][j] + y * (self.logs[i + 1][j + 1] - self.logs[i + 1][j])
        return math.exp(near + x * (far - near))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedForm:
    """Fits used only as a ratio, to leave the grid: their header in ``cacti7_sram_fit.csv`` gives forms and errors."""

    constants: Mapping[str, float]

    def __call__(self, quantity: str, size_bytes: float, width_bits: float) -> float:
        """Return pJ, mW or mm2 for ``quantity`` (S in Mibit, w = width / 64)."""
        c, s, w = self.constants, size_bytes / 2**17, width_bits / 64
        if quantity == "leakage_mw":
            return float(c["leakage_l"] * s ** c["leakage_q"])
        if quantity == "area_mm2":
            return float(c["area_a"] * s ** c["area_p"] * (1 + c["area_b"] * w / math.sqrt(s)))
        kind = quantity.removesuffix("_pj")
        return float(c[f"{kind}_k"] * (1 + c[f"{kind}_b"] * (w - 1)) * s ** c[f"{kind}_p"])


def _cell(knots: Sequence[int], value: float) -> tuple[int, float]:
    """Return the interval of ``value`` and its logarithmic position in it, clamped to the ends."""
    value = min(max(value, knots[0]), knots[-1])
    i = min(bisect_right(knots, value), len(knots) - 1) - 1
    return i, math.log(value / knots[i]) / math.log(knots[i + 1] / knots[i])


def read_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a committed CSV file whose header lines start with ``#``."""
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


@lru_cache(maxsize=1)
def grids() -> dict[tuple[int, str, str], Grid]:
    """Return the grid of every ``(node_nm, device, quantity)`` of the sweep."""
    points: dict[tuple[int, str, str], dict[tuple[int, int], float]] = {}
    for row in read_rows("cacti7_sram.csv"):
        at = int(row["size_bytes"]), int(row["width_bits"])
        for quantity in QUANTITIES:
            points.setdefault((int(row["node_nm"]), row["device"], quantity), {})[at] = float(row[quantity])
    return {key: Grid.of(values) for key, values in points.items()}


@lru_cache(maxsize=1)
def closed_forms() -> dict[tuple[int, str], ClosedForm]:
    """Return the closed forms of every ``(node_nm, device)``."""
    forms = {}
    for row in read_rows("cacti7_sram_fit.csv"):
        node, device = int(row.pop("node_nm")), row.pop("device")
        forms[node, device] = ClosedForm(constants={name: float(value) for name, value in row.items()})
    return forms


@lru_cache(maxsize=1)
def leakage_by_temperature() -> dict[tuple[int, str], tuple[tuple[float, float], ...]]:
    """Return ``(temperature_k, leakage over that at 300 K)`` of a 128 KiB macro for each ``(node_nm, device)``."""
    curves: dict[tuple[int, str], list[tuple[float, float]]] = {}
    for row in read_rows("cacti7_sram_temperature.csv"):
        curve = curves.setdefault((int(row["node_nm"]), row["device"]), [])
        curve.append((float(row["temperature_k"]), float(row["leakage_mw"])))
    return {key: tuple((t, value / min(curve)[1]) for t, value in sorted(curve)) for key, curve in curves.items()}
