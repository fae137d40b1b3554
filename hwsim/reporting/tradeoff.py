"""The plot of a sweep, as a file."""

from __future__ import annotations

from pathlib import Path

from hwsim.errors import HwsimError
from hwsim.reporting import figures
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
