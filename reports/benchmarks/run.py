"""Benchmarks with their goals and a peer measured in the same run; writes ``benchmarks.csv`` beside this file.

Run ``python reports/benchmarks/run.py`` (needs ``pip install '.[oracle]'`` for the peer). Figures are medians of several
runs; the ratio to the goal is above 1 where the goal is missed. ``timing.py`` beside it writes a table of its own.
"""

from __future__ import annotations

import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import timing

import hwsim
from hwsim.zoo import load_model, natural_images

RUNS = 5


def seconds(action: Callable[[], object], runs: int = RUNS) -> float:
    """Return the median wall time of ``action``, after one call that is not counted."""
    action()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def command(*arguments: str, cache: str | None = None) -> None:
    """Run ``hwsim`` as a process in an empty folder."""
    environment = {**os.environ, **({"XDG_CACHE_HOME": cache} if cache else {})}
    with tempfile.TemporaryDirectory() as folder:
        start = [sys.executable, "-c", "from hwsim.cli import main; main()", *arguments]
        subprocess.run(start, cwd=folder, env=environment, check=True, capture_output=True)


def processes() -> list[tuple[str, float, float, str, float | None]]:
    with tempfile.TemporaryDirectory() as cache:
        start = time.perf_counter()
        command("run", cache=cache)
        first = time.perf_counter() - start
        warm = seconds(lambda: command("run", cache=cache))
    bare = seconds(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True))
    return [
        ("hwsim run, first after installation", first, 20.0, "", None),
        ("hwsim run, warm", warm, 20.0, "", None),
        ("hwsim --help", seconds(lambda: command("--help")), 0.5, "python -c pass", bare),
    ]


def networks() -> list[tuple[str, float, float, str, float | None]]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count() or 1
    rows = []
    for name in ("squeezenet", "resnet50"):
        graph = hwsim.load(name)
        images = {graph.inputs[0]: natural_images(1, 3, 224, 224, seed=1)}
        quantized = hwsim.quantize(graph, calibration=images)
        machine = hwsim.accelerator("mid_32x32")
        session = onnxruntime.InferenceSession(load_model(name).SerializeToString(), options)
        peer = seconds(lambda session=session, images=images: session.run(None, images))
        ours = seconds(lambda q=quantized, m=machine, i=images: hwsim.simulate(q, m, i, compare=False))
        rows.append((f"{name}, one image in integers, with cost", ours, 1.0, "ONNX Runtime, float32", peer))
        cost = seconds(lambda q=quantized, m=machine: hwsim.simulate(q, m))
        rows.append((f"{name}, cost only, tiles already chosen", cost, 0.1, "", None))
    return rows


def sweep() -> list[tuple[str, float, float, str, float | None]]:
    network, machine = hwsim.load("digits_resnet"), hwsim.accelerator("edge_16x16")
    images, calibration = hwsim.dataset("digits_resnet", "test"), hwsim.dataset("digits_resnet", "calibration")
    choices = {"weights": ["int4", "int8"], "activations": ["uint8"], "accumulators": ["exact", "int16:saturate"]}
    each = seconds(lambda: hwsim.sweep(network, machine, images, calibration, **choices), runs=3) / 4
    integers = np.int32
    peer = seconds(lambda: np.ones((540, 432), integers) @ np.ones((432, 3440), integers), runs=1)
    return [("one sweep point, 540 images, 1.0 GMAC", each, 1.0, "numpy int32 matmul of as many MACs", peer)]


def main() -> None:
    rows = processes() + networks() + sweep()
    with (Path(__file__).parent / "benchmarks.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("what", "seconds", "goal_seconds", "ratio_to_goal", "peer", "peer_seconds", "ratio_to_peer"))
        for what, taken, goal, peer, peer_seconds in rows:
            ratio = f"{taken / peer_seconds:.2f}" if peer_seconds else ""
            peer_text = f"{peer_seconds:.3f}" if peer_seconds else ""
            writer.writerow((what, f"{taken:.3f}", goal, f"{taken / goal:.2f}", peer, peer_text, ratio))
            print(f"{what:45} {taken:8.3f} s   goal {goal:g} s   {peer} {peer_text} {ratio}")
    timing.main()


if __name__ == "__main__":
    main()
