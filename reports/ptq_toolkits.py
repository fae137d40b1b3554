"""The same methods of post-training quantization in public toolkits, on the same networks and images, beside ours.

Each toolkit may live in an environment of its own, together with ``pip install "hwsim[train]"``:

    pip install onnxruntime                                 # 1.31.1
    pip install aimet-onnx                                  # 2.42.0
    pip install brevitas                                    # 0.13.4
    python reports/ptq_toolkits.py                          # ours, and every toolkit that is installed
    python reports/ptq_toolkits.py --systems aimet          # one of them

For development only: nothing of hwsim needs a toolkit. Finished points are kept in ``ptq/toolkit_points.csv``, so that runs in
several environments add up; delete it to start over. Each run writes ``ptq/toolkits.csv`` from all of them.

Networks, the 64 calibration images of each seed and the 540 test images are those of ``reports/ptq.py``. Activations have 8
bits and one asymmetric scale per tensor, weights are symmetric; ``int4n`` is narrow, without -8. Ours are the integers of the
machine, theirs are simulated in floating point. AdaRound is compared per channel, with the same number of iterations. What else
differs is in the column ``note``. ``aimet_scales`` puts our integers on AIMET's weight scales: what is left between the two
then is arithmetic and not the choice of ranges.

Deviations are over the calibration images alone. One test image is 0.19 points, and the error of sampling 540 of them is
about 0.4 points at 99 %.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from itertools import product
from pathlib import Path
from statistics import mean, stdev
from types import ModuleType
from typing import Any

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "MKL_NUM_THREADS",
)
os.environ.update(dict.fromkeys(THREADS, "1"))  # before the libraries that read them

import numpy as np  # noqa: E402
from toolkits import Case  # noqa: E402

import hwsim  # noqa: E402
from hwsim.explore.store import PointStore, point_id  # noqa: E402
from hwsim.reporting.tables import to_csv  # noqa: E402
from hwsim.tables import Table  # noqa: E402

FOLDER = Path(__file__).parent / "ptq"
OURS = "hwsim"
SYSTEMS = (OURS, "onnxruntime", "aimet", "aimet_scales", "brevitas")
NETWORKS = ("digits_mobilenet", "digits_resnet")
SEEDS = (0, 1, 2)
IMAGES = 64
ITERATIONS = 400
METHOD = ("network", "algorithm", "ranges", "granularity", "weights", "iterations")
KEYS = ("system", *METHOD, "seed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--systems", nargs="+", default=SYSTEMS, choices=SYSTEMS)
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--algorithms", nargs="+", help="a part of those that the systems have")
    parser.add_argument("--ranges", nargs="+", help="as --algorithms")
    parser.add_argument("--weights", nargs="+", help="as --algorithms")
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--iterations", type=int, default=ITERATIONS)
    given = parser.parse_args()
    store = PointStore(FOLDER / "toolkit_points.csv", (*KEYS, "release", "accuracy", "seconds"))
    for name in given.systems:
        system = import_module(f"toolkits.with_{name}")
        try:
            release = system.release()
        except ImportError as error:
            print(f"{system.NAME} is left out: {error}", file=sys.stderr)
            continue
        for case in cases(system, given):
            facts = {"system": name} | {key: getattr(case, key) for key in (*METHOD, "seed")}
            if point_id(facts) not in store.rows:
                store.add(point_id(facts), {**facts, "release": release, **run(system, case)})
    table = beside(list(store.rows.values()))
    (FOLDER / "toolkits.csv").write_text(to_csv(table), encoding="utf-8", newline="")
    show(table)


def cases(system: ModuleType, given: argparse.Namespace) -> Iterator[Case]:
    """Yield what the system can do of what is wanted, learned rounding last and per channel only."""
    methods = sorted(system.METHODS, key=lambda method: method[0] == "adaround")
    for (algorithm, ranges), network, granularity, weights, seed in product(
        methods, given.networks, ("channel", "tensor"), system.WEIGHTS, given.seeds
    ):
        asked = ((algorithm, given.algorithms), (ranges, given.ranges), (weights, given.weights))
        learns = algorithm == "adaround"
        if all(part is None or value in part for value, part in asked) and not (learns and granularity == "tensor"):
            yield Case(
                network=network,
                algorithm=algorithm,
                ranges=ranges,
                granularity=granularity,
                weights=weights,
                iterations=given.iterations if learns else 0,
                seed=seed,
            )


def run(system: ModuleType, case: Case) -> dict[str, Any]:
    """Return the accuracy on the test images."""
    shown, test = hwsim.dataset(case.network, "calibration")["image"], hwsim.dataset(case.network, "test")
    kept = np.sort(np.random.default_rng(case.seed).choice(len(shown), IMAGES, replace=False))
    started = time.perf_counter()
    logits = system.logits(case, shown[kept], test["image"])
    accuracy = float((logits.argmax(axis=1) == test["labels"]).mean())
    return {"accuracy": accuracy, "seconds": round(time.perf_counter() - started, 1)}


def beside(rows: list[dict[str, Any]]) -> Table:
    """Return mean and deviation over the seeds of every toolkit's points, beside ours of the same method."""
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(tuple(row[key] for key in ("system", *METHOD)), []).append(row)
    records = []
    for key, theirs in sorted(found.items(), key=lambda item: tuple(map(str, item[0]))):
        if key[0] == OURS:
            continue
        system = import_module(f"toolkits.with_{key[0]}")
        ours = found.get((OURS, *key[1:]), [])
        records.append(
            dict(zip(("toolkit", *METHOD), (system.NAME, *key[1:]), strict=True))
            | {"release": theirs[0]["release"], "seeds": len(theirs)}
            | statistics("ours", ours)
            | statistics("theirs", theirs)
            | {"note": "; ".join(system.NOTES[part] for part in ("always", *key[2:4]) if part in system.NOTES)}
        )
    return Table.of_records(records)


def statistics(name: str, rows: list[dict[str, Any]]) -> dict[str, float | None]:
    """Return mean and deviation of the accuracy, None where there are too few points."""
    accuracies = [float(row["accuracy"]) for row in rows]
    return {
        f"{name}_accuracy": mean(accuracies) if accuracies else None,
        f"{name}_deviation": stdev(accuracies) if len(accuracies) > 1 else None,
    }


def show(table: Table) -> None:
    """Print the accuracies in %, ours and theirs."""
    for row in table.rows():
        cells = [f"{row[key]!s:>{width}}" for key, width in zip(METHOD, (17, 16, 11, 8, 6, 5), strict=True)]
        pairs = [
            "-" if row[f"{side}_accuracy"] is None
            else f"{100 * row[f'{side}_accuracy']:.2f} ({100 * (row[f'{side}_deviation'] or 0):.2f})"
            for side in ("ours", "theirs")
        ]  # fmt: skip
        print(f"{row['toolkit']:12}", *cells, *(f"{pair:>14}" for pair in pairs))


if __name__ == "__main__":
    main()
