"""The files of a diagnosis: its tables, its findings and the ranges of the worst tensor."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from hwsim.reporting.figures import figure, to_svg
from hwsim.reporting.files import output_folder, write_text
from hwsim.reporting.plain import to_json
from hwsim.reporting.tables import to_csv
from hwsim.tables import Table

if TYPE_CHECKING:
    from hwsim.quantization.diagnose import ChannelRanges, Diagnosis

FIGURE = "channel_ranges"


def write_diagnosis(diagnosis: Diagnosis, folder: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Write ``halves.csv quantizers.csv channels.csv findings.json channel_ranges.svg``; return the paths.

    Raises:
        HwsimError: the folder cannot be written.
    """
    drawn = to_svg(figure(FIGURE).draw(diagnosis.culprit), FIGURE)
    findings = [asdict(finding) for finding in diagnosis.findings]
    texts = {
        "halves.csv": to_csv(diagnosis.halves),
        "quantizers.csv": to_csv(diagnosis.quantizers),
        "channels.csv": to_csv(_channels(diagnosis.culprit)),
        "findings.json": to_json({"findings": findings}),
        f"{FIGURE}.svg": drawn,
    }
    with output_folder(folder) as path:
        return tuple(write_text(path / name, text) for name, text in texts.items())


def _channels(ranges: ChannelRanges) -> Table:
    """Return a row per channel: its range, and the ends of its grid where they are known."""
    ends = [[None] * ranges.low.size if end is None else end.tolist() for end in (ranges.grid_low, ranges.grid_high)]
    rows = zip(range(ranges.low.size), ranges.low.tolist(), ranges.high.tolist(), *ends, strict=True)
    return Table.of(("channel", "low", "high", "grid_low", "grid_high"), list(rows))
