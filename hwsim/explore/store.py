"""A CSV of finished points that a second call resumes: one row per point, named by a hash of all that decides it."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hwsim.errors import HwsimError
from hwsim.tables import Table


def point_id(facts: Mapping[str, Any]) -> str:
    """Return the name of a point: the first 16 hex digits of the SHA-256 of its facts as canonical JSON."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class PointStore:
    """Finished points in ``path``; each is appended, flushed and synced when it is done.

    Args:
        path: the CSV file, created with its folder when the first point is added; None keeps the points in memory.
        columns: the table's columns; the first is ``point``.
        later: those of them that a table of an earlier version lacks; its rows have None there.

    Raises:
        HwsimError: the file has other columns, or cannot be read or written.
    """

    def __init__(self, path: Path | None, columns: tuple[str, ...], *, later: tuple[str, ...] = ()):
        self.path = path
        self.columns = ("point", *columns)
        self.later = later
        self.rows: dict[str, dict[str, Any]] = {}
        self._is_earlier = False
        if path is not None and path.exists():
            self._read(path)

    def _read(self, path: Path) -> None:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise HwsimError(f"{path}: cannot be read as a sweep table ({error}); choose another --out") from None
        complete = text[: text.rfind("\n") + 1]  # a row without its line end was cut off by an interruption
        lines = list(csv.reader(complete.splitlines()))
        earlier = tuple(name for name in self.columns if name not in self.later)
        found = tuple(lines[0]) if lines else self.columns
        self._is_earlier = found == earlier != self.columns
        if found != self.columns and not self._is_earlier:
            raise HwsimError(
                f"{path}: is not a table of this sweep (its columns differ); move it away or choose another --out"
            )
        for line in lines[1:]:
            if len(line) == len(found):
                row = {name: _value(cell) for name, cell in zip(found, line, strict=True)}
                self.rows[str(line[0])] = dict.fromkeys(self.columns) | row
        if complete != text:
            self._rewrite(path)

    def _rewrite(self, path: Path) -> None:
        temporary = path.with_suffix(".partial")
        try:
            with temporary.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(self.columns)
                writer.writerows([_cell(row[name]) for name in self.columns] for row in self.rows.values())
            temporary.replace(path)
            self._is_earlier = False
        except OSError as error:
            raise HwsimError(
                f"{temporary}: cannot be written ({error.strerror}); move it away, or choose another --out"
            ) from None

    def __contains__(self, point: str) -> bool:
        return point in self.rows

    def add(self, point: str, row: Mapping[str, Any]) -> None:
        """Append a finished point."""
        full = {"point": point, **row}
        if self.path is not None and self._is_earlier:
            self._rewrite(self.path)
        self.rows[point] = full
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            is_new = not self.path.exists() or self.path.stat().st_size == 0
            with self.path.open("a", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                if is_new:
                    writer.writerow(self.columns)
                writer.writerow([_cell(full[name]) for name in self.columns])
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise HwsimError(f"{self.path}: cannot be written ({error.strerror}); choose another --out") from None

    def table(self, points: list[str]) -> Table:
        """Return the rows of ``points`` in that order, without the ``point`` column."""
        return Table.of(self.columns[1:], [[self.rows[point][name] for name in self.columns[1:]] for point in points])


def _cell(value: Any) -> str:
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)


def _value(cell: str) -> Any:
    if cell == "":
        return None
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    return cell
