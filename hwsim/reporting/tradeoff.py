"""The results of a sweep as files: the plot and the points that none beats."""

from __future__ import annotations

from pathlib import Path

from hwsim.errors import HwsimError
from hwsim.reporting import figures
from hwsim.reporting.tables import to_csv
from hwsim.tables import Table


def write_tradeoff(table: Table, folder: str | Path) -> Path:
    """Draw accuracy against energy and latency into ``folder/tradeoff.svg``, and as PNG beside it; return the SVG's path.

    Raises:
        HwsimError: the folder cannot be written.
    """
    target = Path(folder)
    figure = figures.figure("tradeoff").draw(table)
    try:
        target.mkdir(parents=True, exist_ok=True)
        path = target / "tradeoff.svg"
        drawn = figures.to_svg(figure, "tradeoff")
        path.write_bytes(drawn if isinstance(drawn, bytes) else drawn.encode())
        figure.savefig(target / "tradeoff.png", dpi=150)
    except OSError as error:
        raise HwsimError(f"{target}: cannot be written ({error.strerror}); choose another --out") from None
    return path


def write_pareto(table: Table, folder: str | Path) -> Path:
    """Write the points that none beats in accuracy, energy and latency together into ``folder/pareto.csv``.

    Raises:
        HwsimError: the folder cannot be written.
    """
    kept = table.pareto_front(maximize=["accuracy"], minimize=["energy_pj", "latency_s"])
    rows = [row for row, keep in zip(table.rows(), kept, strict=True) if keep]
    front = Table.of(tuple(table.columns), [list(row.values()) for row in rows])
    path = Path(folder) / "pareto.csv"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(to_csv(front), encoding="utf-8", newline="")
    except OSError as error:
        raise HwsimError(f"{path}: cannot be written ({error.strerror}); choose another --out") from None
    return path
