"""``hwsim scalesim``: SCALE-Sim's own reports, number for number, and where hwsim's model of the same machine differs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

NUMBER = 16  # letters of a count, flush right


def scalesim(
    config: Annotated[Path, typer.Option(help="SCALE-Sim's configuration (.cfg).")],
    topology: Annotated[Path, typer.Option(help="SCALE-Sim's topology (.csv), convolutions or matrix products.")],
    out: Annotated[Path, typer.Option(help="Folder of the three reports.")] = Path("scalesim"),
) -> None:
    """Write SCALE-Sim's reports for a configuration and a topology, and compare its totals with hwsim's own model."""
    from hwsim.cli.show import aligned
    from hwsim.errors import MappingError
    from hwsim.interchange.scalesim import read_config, read_topology, write_reports
    from hwsim.simulation.scalesim import compare, report_topology

    settings, layers = read_config(config), read_topology(topology)
    reports = report_topology(settings, layers)
    paths = write_reports(out, reports)
    typer.echo(
        f"{layers.name}, {len(reports)} layers, on {settings.rows}x{settings.columns} {settings.dataflow} "
        f"({settings.run_name}, {settings.mode})"
    )
    if not settings.estimates_bandwidth:
        typer.echo(
            "USER mode: SCALE-Sim's stalls are not copied, because it counts some twice and subtracts others. Total Cycles is "
            "without stalls, and the fields that depend on them are empty."
        )
    typer.echo(f"Reports: {', '.join(map(str, paths))}")
    try:
        differences = compare(settings, layers, reports)
    except MappingError as error:
        typer.echo(f"No comparison, since hwsim's own model does not run this network on this machine: {error}")
        return
    rows = [("", "SCALE-Sim".rjust(NUMBER), "hwsim".rjust(NUMBER), "why they differ")]
    rows += [(row.name, _count(row.scalesim), _count(row.hwsim), row.why) for row in differences]
    for line in aligned(rows):
        typer.echo(f"  {line}")


def _count(value: int | None) -> str:
    return ("-" if value is None else f"{value:,}").rjust(NUMBER)
