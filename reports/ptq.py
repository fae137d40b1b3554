"""What each recipe of post-training quantization keeps, and what the machine pays: points in the folder ``ptq`` beside this file.

Run from anywhere: ``python reports/ptq.py`` (everything; hours) or, for a part, ``--recipes mse adaround --weights int4
--networks digits_mobilenet``. Finished points are kept in ``ptq/points.csv``; delete it to start over. Tables
and figures are drawn at the end (``ptq_figures.py``).

Each point is bit-exact: the 540 test images through the integers of the machine. Calibration seeds choose 64 of the 128
calibration images and seed whatever the recipe draws. Variants of the depthwise network, for the ladder of recipes at 8-bit
activations: ``induced`` has ReLU in place of ReLU6 (which changes its function a little) and then channels in other units,
exactly the same function with badly scaled weights (``hwsim.quantization.transforms.imbalance``); ``seed2`` and ``seed3`` are
the natural network trained from other seeds (``pip install '.[train]'``; about a minute each).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from ptq_figures import main as draw_all

import hwsim
from hwsim.errors import HwsimError
from hwsim.explore.store import PointStore, point_id
from hwsim.graph import Graph
from hwsim.hardware import PrecisionPlan
from hwsim.quantization import Scheme, prepare
from hwsim.quantization.recipes import names, recipe_of
from hwsim.quantization.recipes.run import run_recipe
from hwsim.quantization.transforms.clip_to_relu import clip_to_relu
from hwsim.quantization.transforms.imbalance import induce_imbalance

FOLDER = Path(__file__).parent / "ptq"
TRAINED = FOLDER / "trained"
MACHINE = "edge_16x16"
NETWORKS = ("digits_mobilenet", "digits_resnet")
WEIGHTS = ("int8", "int6", "int4", "int3", "int2")
ACTIVATIONS = ("uint8", "uint6", "uint4")
SEEDS = (0, 1, 2)
VARIANTS = ("natural", "induced", "seed2", "seed3")
IMAGES = 64
ITERATIONS = 250
KEYS = ("network", "variant", "recipe", "weights", "activations", "seed")
RESULTS = ("accuracy", "latency_s", "energy_pj", "area_mm2", "dram_bytes", "seconds", "refused")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS")
MIXED = ("mixquant", "kl_mixed", "hessian_mixed")
LADDER = ("minmax", "mse", "per_channel", "cle", "bias_correction", "data_free", "adaround", "brecq", "white_paper")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--variants", nargs="+", default=VARIANTS)
    recipes = [name for name in names() if name != "norm_tweak"]  # these networks have no layer normalization
    parser.add_argument("--recipes", nargs="+", default=recipes)
    parser.add_argument("--weights", nargs="+", default=WEIGHTS)
    parser.add_argument("--activations", nargs="+", default=ACTIVATIONS)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    given = parser.parse_args()
    store = PointStore(FOLDER / "points.csv", (*KEYS, *RESULTS))
    run_all(store, list(points(given)), given.workers)
    draw_all()


def points(given: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield the points; variants only of the depthwise network, at 8-bit activations, for the ladder's recipes.

    Recipes of several widths get the energy of a uniform network as their budget, which leaves no choice at 8 and 2 bits;
    ternary weights have one width.
    """
    chosen = product(given.networks, given.variants, given.recipes, given.weights, given.activations, given.seeds)
    for network, variant, recipe, weights, activations, seed in chosen:
        is_ladder = network == NETWORKS[0] and activations == "uint8" and recipe in LADDER and weights in WEIGHTS[1:4]
        if variant != "natural" and not is_ladder:
            continue
        if (recipe in MIXED and weights not in WEIGHTS[1:4]) or (recipe == "ternary" and weights != "int2"):
            continue
        values = (network, variant, recipe, weights, activations, seed)
        yield dict(zip(KEYS, values, strict=True))


def run_all(store: PointStore, wanted: list[dict[str, Any]], workers: int) -> None:
    """Run what is missing, the cheap recipes first."""
    os.environ.update(dict.fromkeys(THREADS, "1"))  # read by the workers when they start: one thread each
    todo = [(point_id(facts), facts) for facts in wanted]
    todo = [(name, facts) for name, facts in todo if name not in store.rows]
    todo.sort(
        key=lambda item: (item[1]["variant"] != "natural", item[1]["seed"], recipe_of(item[1]["recipe"]).needs_torch)
    )
    for name, variant in dict.fromkeys((facts["network"], facts["variant"]) for _, facts in todo):
        if variant.startswith("seed"):
            train(name, variant)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(run_one, facts): (name, facts) for name, facts in todo}
        for count, future in enumerate(as_completed(running), 1):
            name, facts = running[future]
            store.add(name, {**facts, **future.result()})
            if sys.stderr.isatty() or count % 50 == 0:
                print(f"{count}/{len(todo)} {facts['recipe']}", file=sys.stderr)


def run_one(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the results of one point; a recipe that does not exist at a width says why instead."""
    network, started = network_of(facts["network"], facts["variant"]), time.perf_counter()
    machine = hwsim.accelerator(MACHINE)
    shown = hwsim.dataset(facts["network"], "calibration")["image"]
    kept = np.sort(np.random.default_rng(facts["seed"]).choice(len(shown), IMAGES, replace=False))
    plan = PrecisionPlan(default={"weights": facts["weights"], "activations": facts["activations"]})
    known = {option.name for option in recipe_of(facts["recipe"]).options}
    options = {"iterations": ITERATIONS} if "iterations" in known else {}
    empty = dict.fromkeys(RESULTS)
    try:
        scheme, images = Scheme(plan=plan), {"image": shown[kept]}
        state = run_recipe(facts["recipe"], network, scheme, machine, images, options=options, seed=facts["seed"])
        result = hwsim.simulate(state.graph, machine, hwsim.dataset(facts["network"], "test"), compare=False)
    except HwsimError as error:
        return {**empty, "refused": str(error)}
    found = {key: result.summary[key] for key in RESULTS if key in result.summary}
    seconds = round(time.perf_counter() - started, 1)
    return {**empty, **found, "accuracy": result.summary["metrics"]["accuracy"], "seconds": seconds, "refused": ""}


def network_of(name: str, variant: str) -> Graph:
    """Return a network's variant."""
    if variant == "induced":
        return induce_imbalance(clip_to_relu(prepare(hwsim.load(name))), seed=0)
    return hwsim.load(name if variant == "natural" else str(TRAINED / f"{name}_{variant}.onnx"))


def train(name: str, variant: str) -> None:
    """Train a bundled network from another seed, unless it was done before."""
    path = TRAINED / f"{name}_{variant}.onnx"
    if path.is_file():
        return
    sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
    import onnx
    import torch
    from digits_data import split
    from digits_export import to_onnx
    from digits_networks import NETWORKS as ROWS
    from train_digits import train as train_digits

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    net = train_digits(ROWS[name](), split()["train"], int(variant.removeprefix("seed")))
    TRAINED.mkdir(parents=True, exist_ok=True)
    onnx.save(to_onnx(name, net.rows, net.weights(), {}), path)


if __name__ == "__main__":
    main()
