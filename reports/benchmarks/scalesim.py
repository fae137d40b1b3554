"""Speed of SCALE-Sim's numbers, with goals and SCALE-Sim itself as the peer; writes ``scalesim.csv`` beside this file.

Run ``python reports/benchmarks/scalesim.py [FOLDER]``, where FOLDER (default ``$HWSIM_REFERENCE_DATA/scalesim``) holds an
``index.csv`` of cases with the tool's configurations, topologies and own processor seconds (``tool_cpu_s``). The peer is not
run here: its seconds are those recorded when the reports were made, on another machine. Ours are processor seconds of one
thread, the kernels compiled: the median of five runs of the whole report, DRAM replay included, and of the cycles alone.
"""

from __future__ import annotations

import csv
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hwsim.cost.scalesim import scalesim_array, total_cycles
from hwsim.interchange.scalesim import read_config, read_topology
from hwsim.simulation.scalesim import report_topology
from hwsim.simulation.scalesim.layer import report_layer

RUNS = 5
GOAL_REPORT, GOAL_CYCLES = 100, 100_000
HEADER = (
    *("case", "tool_cpu_s", "report_s", "report_ratio", "report_ratio_to_goal"),
    *("cycles_s", "cycles_ratio", "cycles_ratio_to_goal"),
)


def median(action: Callable[[], object]) -> float:
    """Return the median processor seconds of ``action``, after one call that is not counted."""
    action()
    times = []
    for _ in range(RUNS):
        start = time.process_time()
        action()
        times.append(time.process_time() - start)
    return statistics.median(times)


def measured(folder: Path, case: dict[str, str]) -> tuple[float, float]:
    """Return our seconds for all reports of a case, and for its cycles alone."""
    config, topology = read_config(folder / case["config"]), read_topology(folder / case["topology"])
    array = scalesim_array(config)

    def report() -> None:
        report_layer.cache_clear()
        report_topology(config, topology)

    return median(report), median(lambda: [total_cycles(array, layer.sizes) for layer in topology.layers])


def main() -> None:
    data = Path(os.environ.get("HWSIM_REFERENCE_DATA", Path(__file__).parents[3] / "shared" / "data"))
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else data / "scalesim"
    with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
        cases = [case for case in csv.DictReader(file) if float(case["tool_cpu_s"] or 0) > 0]
    with (Path(__file__).parent / "scalesim.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for case in cases:
            tool, (report, cycles) = float(case["tool_cpu_s"]), measured(folder, case)
            ratios = tool / report, tool / cycles
            writer.writerow(
                (
                    case["file"].removesuffix(".csv"),
                    tool,
                    f"{report:.4f}",
                    f"{ratios[0]:.0f}",
                    f"{ratios[0] / GOAL_REPORT:.1f}",
                    f"{cycles:.6f}",
                    f"{ratios[1]:.0f}",
                    f"{ratios[1] / GOAL_CYCLES:.1f}",
                )
            )
            print(
                f"{case['file']:40} SCALE-Sim {tool:6.1f} s   report {report * 1e3:6.1f} ms, {ratios[0]:5.0f} x (goal "
                f"{GOAL_REPORT})   cycles {cycles * 1e6:5.0f} us, {ratios[1]:8.0f} x (goal {GOAL_CYCLES})"
            )


if __name__ == "__main__":
    main()
