"""Speed of timing and mapping, with goals; writes ``timing.csv`` beside this file.

Run ``python reports/benchmarks/timing.py``; ``run.py`` calls it, too. ResNet-50 on a 32 x 32 weight-stationary machine (preset
``mid_32x32``), kernels compiled, processor time of one thread: medians of several runs, rates over one pass. Four questions:

* timing and traffic of all 54 array layers for one given mapping, every layer computed (no result is taken over);
* design points per second with that mapping kept: every point another array, DRAM bandwidth and latency, so that all are
  computed anew, what equal layers and equal memories share counted once (the tiles must fit; they are not searched again);
* the same over a grid with memory sizes, which decide only whether the mapping fits;
* the mapper from nothing: tiles of all layers and what stays on chip.

The mapper's peer is a recorded figure of ZigZag, 48 processor seconds for ResNet-18. It was not measured here, its version,
settings and processor are not recorded, and it is another network: no ratio is formed. SCALE-Sim's seconds are in ``scalesim.py``.
"""

from __future__ import annotations

import csv
import statistics
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np

import hwsim
from hwsim.cost import cost
from hwsim.errors import MappingError
from hwsim.hardware import Accelerator
from hwsim.schedule import OBJECTIVES, Options, schedule
from hwsim.schedule.choose import choose
from hwsim.schedule.estimate import Estimator

RUNS = 15
NETWORK, MACHINE = "resnet50", "mid_32x32"
ZIGZAG_RESNET18_S = 48.0
ROWS, BANDWIDTHS, LATENCIES = range(16, 80, 4), (32, 48, 64, 96, 128, 192, 256, 384), (50, 100)
SIZES = (0.5, 1, 2, 4)
HEADER = ("what", "measured", "unit", "goal", "ratio_to_goal", "peer", "peer_recorded")


def seconds(action: Callable[[], object], runs: int = RUNS) -> float:
    """Return the median processor time of ``action``, after one call that is not counted."""
    action()
    times = []
    for _ in range(runs):
        start = time.process_time()
        action()
        times.append(time.process_time() - start)
    return statistics.median(times)


def point(machine: Accelerator, rows: int, columns: int, bits: int, latency: int, size: float = 1) -> Accelerator:
    """Return a machine of the design space; ``size`` scales the on-chip memories."""
    memory = machine.memory
    if size != 1:
        memory = tuple(level.model_copy(update={"size_bytes": int(level.size_bytes * size)}) for level in memory)
    return machine.model_copy(
        update={
            "array": machine.array.model_copy(update={"rows": rows, "columns": columns}),
            "dram": machine.dram.model_copy(update={"bits_per_cycle": bits, "latency_cycles": latency}),
            "memory": memory,
        }
    )


def rate(estimator: Estimator, machine: Accelerator, sizes: tuple[float, ...]) -> tuple[int, int, float]:
    """Return (points, points that fit, points per second), the making of the machines included."""
    fitting, start = 0, time.process_time()
    grid = list(product(ROWS, BANDWIDTHS, LATENCIES, sizes))
    for rows, bits, latency, size in grid:
        try:
            estimator(point(machine, rows, rows, bits, latency, size))
        except MappingError:
            continue
        fitting += 1
    return len(grid), fitting, len(grid) / (time.process_time() - start)


def measure() -> list[tuple[str, float, str, float, str, float | None]]:
    """Return (what, measured, unit, goal, peer, its recorded figure)."""
    graph, machine = hwsim.quantize(hwsim.load(NETWORK)), hwsim.accelerator(MACHINE)
    plan = schedule(graph, machine)
    estimator = Estimator(graph, machine, plan)
    assert estimator(machine).cycles == cost(graph, machine, plan).layers.sum("cycles")
    each = Estimator(graph, machine, plan)
    each.same = np.arange(len(each.same))
    rows = [
        (f"{NETWORK}, timing and traffic of a given mapping", seconds(lambda: each(machine)) * 1e3, "ms", 1.0, "", None)
    ]
    what = f"{NETWORK}, the same, equal layers once"
    rows.append((what, seconds(lambda: estimator(machine)) * 1e3, "ms", 1.0, "", None))
    rate(estimator, machine, (1,))
    points, fit, per_second = rate(Estimator(graph, machine, plan), machine, (1,))
    what = f"{points} design points (array, DRAM), mapping kept, {fit} fit"
    rows.append((what, per_second, "points/s", 1000.0, "", None))
    points, fit, per_second = rate(Estimator(graph, machine, plan), machine, SIZES)
    what = f"{points} design points (array, DRAM, memory sizes), mapping kept, {fit} fit"
    rows.append((what, per_second, "points/s", 1000.0, "", None))
    for objective in OBJECTIVES:

        def search(objective: str = objective) -> object:
            choose.cache_clear()
            return schedule(graph, machine, Options(objective=objective))

        peer = "ZigZag on ResNet-18, recorded"
        rows.append((f"{NETWORK}, mapper for {objective}", seconds(search, 3), "s", 2.0, peer, ZIGZAG_RESNET18_S))
    return rows


def main() -> None:
    with (Path(__file__).parent / "timing.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for what, value, unit, goal, peer, peer_value in measure():
            ratio = goal / value if unit == "points/s" else value / goal
            writer.writerow((what, f"{value:.4g}", unit, f"{goal:g}", f"{ratio:.2f}", peer, peer_value or ""))
            beside = f"   {peer} {peer_value:g} {unit}" if peer_value else ""
            print(f"{what:78} {value:8.4g} {unit:9} goal {goal:g}{beside}")


if __name__ == "__main__":
    main()
