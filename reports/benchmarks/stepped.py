"""Every register of a 16 x 16 array at every cycle: PE-cycles per second of one core, with Verilator on our RTL as peer.

Run ``python reports/benchmarks/stepped.py``; writes ``stepped.csv`` beside this file. Rates are in 1e6 PE-cycles (elements
times cycles) per second of processor time, the best of several runs of ours: ``clock`` is the array alone, ``with_layout``
lays out operands and sorts results, too; the goal is one of the clock. Verilator runs the same trace on
``tests/rtl/systolic_array.sv``, compiled with -O3 for this processor, and compares every output, where ours notes it.
Without Verilator (``apt-get install verilator``) the peer's columns stay empty.
"""

from __future__ import annotations

import csv
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from hwsim.hardware.parts import SystolicArray
from hwsim.numerics.accumulator import Accumulator
from hwsim.numerics.formats import IntFormat
from hwsim.stepped import Fold, lanes, run_folds
from hwsim.stepped.run import clocked, prepare
from tests.rtl.cosimulation import parameters, verilator

ROWS = COLUMNS = 16
STREAM, FOLDS, RUNS = 256, 100, 7
GOAL = 300.0
CASES = (  # dataflow, operand bits, psum, whether the peer runs it, too
    ("weight_stationary", 8, "int20:wrap", True),
    ("weight_stationary", 8, "int20:saturate", False),
    ("weight_stationary", 16, "int40:wrap", False),  # registers in lanes of 64 bits
    ("output_stationary", 8, "int24:wrap", True),
    ("input_stationary", 8, "int20:wrap", False),
)
PASSES = 50


def work(flow: str, bits: int, count: int) -> tuple[SystolicArray, list[Fold], dict[str, IntFormat]]:
    """Return the array, folds that fill it, and the formats of their operands."""
    array = SystolicArray(dataflow=flow, rows=ROWS, columns=COLUMNS, pipeline_latency_cycles=1)
    formats = {"ifmap": IntFormat(bits=bits, signed=False), "weight": IntFormat(bits=bits)}
    random = np.random.default_rng(0)
    sizes = {array.flow.rows: ROWS, array.flow.columns: COLUMNS, array.flow.time: STREAM}

    def operand(name: str, shape: str) -> np.ndarray:
        low, high = formats[name].minimum, formats[name].maximum
        return random.integers(low, high, [sizes[dim] for dim in shape], endpoint=True)

    folds = [Fold(ifmap=operand("ifmap", "mk"), weight=operand("weight", "kn")) for _ in range(count)]
    return array, folds, formats


def ours(flow: str, bits: int, psum: Accumulator) -> tuple[float, float]:
    """Return our PE-cycles per second: of the clock alone, and with laying out operands and sorting results."""
    array, folds, _ = work(flow, bits, FOLDS)
    ready = prepare(array, folds, psum=psum)
    clock = fastest(lambda: clocked(ready, lanes.log(ready.built, ready.plan, ready.lane)))
    whole = fastest(lambda: run_folds(array, folds, psum=psum))
    work_done = run_folds(array, folds, psum=psum).cycles * ROWS * COLUMNS / 1e6
    return work_done / clock, work_done / whole


def fastest(action: Callable[[], object]) -> float:
    """Return the processor's seconds of the fastest of several runs, after one that is not counted."""
    action()
    times = []
    for _ in range(RUNS):
        start = time.process_time()
        action()
        times.append(time.process_time() - start)
    return min(times)


def peer(flow: str, bits: int, psum: Accumulator) -> float | None:
    """Return Verilator's PE-cycles per second, or None where it is not installed."""
    if not shutil.which("verilator"):
        return None
    array, folds, formats = work(flow, bits, 4)
    run = run_folds(array, folds, psum=psum, **formats, trace=True)
    assert run.trace is not None
    with tempfile.TemporaryDirectory() as folder:
        made = parameters(array, psum, formats)
        _, seconds = verilator(Path(folder), run.trace, made, PASSES, "-O3 -march=native")
    return PASSES * run.cycles * ROWS * COLUMNS / seconds / 1e6


def main() -> None:
    with (Path(__file__).parent / "stepped.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            (
                "dataflow",
                "operand_bits",
                "psum",
                "mpe_cycles_per_s",
                "goal",
                "ratio_to_goal",
                "verilator",
                "ratio_to_peer",
            )
        )
        for flow, bits, register, compared in CASES:
            psum = Accumulator.parse(register)
            (rate, whole), other = ours(flow, bits, psum), peer(flow, bits, psum) if compared else None
            theirs, ratio = ("", "") if other is None else (f"{other:.0f}", f"{rate / other:.1f}")
            writer.writerow(
                (flow, bits, register, f"{rate:.0f}", f"{whole:.0f}", f"{GOAL:g}", f"{rate / GOAL:.2f}", theirs, ratio)
            )
            beside = f"   Verilator {theirs}, {ratio}x" if other else ""
            print(
                f"{flow:18} {bits:2} x {bits:2} bits, {register:15} {rate:5.0f} M PE-cycles/s ({whole:.0f} with layout)   goal {GOAL:g}{beside}"
            )


if __name__ == "__main__":
    main()
