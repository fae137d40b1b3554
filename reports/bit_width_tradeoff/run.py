"""Weight bits x activation bits x accumulator of both digit networks on the edge machine: tables and plots beside this file.

Run from anywhere: ``python reports/bit_width_tradeoff/run.py``. Finished points are kept; delete a folder to start over.
"""

from __future__ import annotations

from pathlib import Path

import hwsim
from hwsim.reporting.progress import progress
from hwsim.reporting.tradeoff import write_pareto, write_tradeoff

NETWORKS = ("digits_resnet", "digits_mobilenet")
MACHINE = "edge_16x16"


def main() -> None:
    here = Path(__file__).parent
    for name in NETWORKS:
        table = hwsim.sweep(
            hwsim.load(name),
            hwsim.accelerator(MACHINE),
            hwsim.dataset(name, "test"),
            hwsim.dataset(name, "calibration"),
            out=here / name,
            progress=lambda points, name=name: progress(points, name),
        )
        write_pareto(table, here / name)
        write_tradeoff(table, here / name)
        print(f"{name}: {len(table)} points")


if __name__ == "__main__":
    main()
