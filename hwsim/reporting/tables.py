"""The tables of a Result as CSV and JSON files."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

from hwsim.reporting.files import output_folder, write_text
from hwsim.reporting.plain import cell, to_json
from hwsim.simulation.result import Result
from hwsim.tables import Table

TABLES = ("layers", "accesses", "compute", "energy", "area")


def write_tables(result: Result, folder: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Write ``layers accesses compute energy area`` as .csv, ``result.json`` and ``manifest.json``; return the paths.

    CSV is RFC 4180 in UTF-8 with a header; None is an empty field and floats keep every digit. ``result.json`` holds
    the summary, the notes and one object per layer; infinity is the text ``"inf"`` in both.

    Raises:
        HwsimError: the folder cannot be written.
    """
    with output_folder(folder) as path:
        written = [write_text(path / f"{name}.csv", to_csv(getattr(result, name))) for name in TABLES]
        answer = {"summary": result.summary, "notes": result.notes, "layers": list(result.layers.rows())}
        written.append(write_text(path / "result.json", to_json(answer)))
        written.append(write_text(path / "manifest.json", to_json(result.manifest)))
    return tuple(written)


def to_csv(table: Table) -> str:
    r"""Return a table as CSV text.

    >>> to_csv(Table.of(("layer", "sqnr_db"), [("a,b", None), ("c", 0.1)]))
    'layer,sqnr_db\r\n"a,b",\r\nc,0.1\r\n'
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(table.columns)
    writer.writerows([cell(value) for value in row.values()] for row in table.rows())
    return text.getvalue()
