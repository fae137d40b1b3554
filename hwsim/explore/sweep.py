"""``hwsim.sweep``: recipe x weight bits x activation bits x accumulator of one network on one machine."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from hwsim import __version__
from hwsim.energy import load_table
from hwsim.errors import HwsimError
from hwsim.explore.quantizer import Point, Quantizer, options_by_recipe
from hwsim.explore.store import PointStore, point_id
from hwsim.graph import Graph
from hwsim.hardware import Accelerator, PrecisionPlan, with_precision
from hwsim.hardware.problems import validate
from hwsim.quantization import prepare
from hwsim.quantization.recipes.record import Value
from hwsim.schedule import Options
from hwsim.simulation.metrics import Metric, accuracy, metric_name
from hwsim.simulation.result import Result
from hwsim.simulation.simulate import simulate
from hwsim.tables import Table

Item = TypeVar("Item")
Progress = Callable[[Sequence[Item]], Iterable[Item]]

WEIGHTS = tuple(f"int{bits}" for bits in range(2, 9))
ACTIVATIONS = tuple(f"uint{bits}" for bits in range(4, 9))
ACCUMULATORS = ("exact", "int16:saturate", "int16:wrap")
COLUMNS = (
    "network", "accelerator", "recipe", "weights", "activations", "accumulator", "accuracy", "sqnr_db", "energy_pj", "latency_s",
    "cycles", "dram_bytes", "area_mm2", "tops_per_w", "overflow_events", "images",
)  # fmt: skip
LATER = ("recipe",)  # columns that tables of earlier versions lack


def sweep(
    graph: Graph,
    accelerator: Accelerator,
    images: Mapping[str, np.ndarray],
    calibration: Mapping[str, np.ndarray],
    *,
    weights: str | Sequence[str] = WEIGHTS,
    activations: str | Sequence[str] = ACTIVATIONS,
    accumulators: str | Sequence[str] = ACCUMULATORS,
    range: str | None = None,
    recipes: str | Sequence[str | None] = (None,),
    options: Mapping[str, Value] | None = None,
    seed: int = 0,
    metric: Metric = accuracy,
    scheduling: Options | None = None,
    out: str | Path | None = None,
    progress: Progress[Point] = iter,
) -> Table:
    """Return accuracy, error, energy and latency of every combination of recipes and widths, one row each.

    Psum and accumulator of the machine take the accumulator under study where the array itself keeps the sum over k
    (output stationary); elsewhere the accumulator memory takes it and the array keeps its own psum.

    Args:
        graph: a float network.
        accelerator: the machine.
        images: inputs with ``labels``.
        calibration: inputs that show the activations' ranges.
        weights: formats to try, or one.
        activations: likewise.
        accumulators: registers to try, as ``exact`` or ``int16:wrap``, or one.
        range: estimator, see ``hwsim.quantize``; None for that of the recipe, without one ``mse``.
        recipes: published methods to try (``hwsim show recipes``), or one; None is the quantizer without one.
        options: of recipes, by name; each takes those that it has.
        seed: of what recipes draw.
        metric: the task metric, column ``accuracy``.
        scheduling: what the mapper minimizes and may use (``hwsim.schedule.Options``).
        out: folder of ``sweep.csv``; points that it already holds are not run again. None: nothing is written.
        progress: wraps the list of points that remain.

    Raises:
        HwsimError: unknown formats, recipes or options, or a table in ``out`` that is not this sweep's.
    """
    if graph.is_quantized:
        raise HwsimError(
            f"{graph.name} came quantized and keeps its grids, so there are no widths to sweep; give the float model"
        )
    weights, activations, accumulators = map(_several, (weights, activations, accumulators))
    recipes = (recipes,) if isinstance(recipes, str) else recipes
    chosen = options_by_recipe(recipes, options)
    ready = prepare(graph)
    arrays = {name: np.asarray(calibration[name]) for name in ready.inputs if name in calibration}
    facts = {
        "version": __version__,
        "network": _digest(ready),
        "accelerator": accelerator.model_dump(mode="json"),
        "prices": hashlib.sha256(repr(load_table(accelerator.energy_table)).encode()).hexdigest(),
        "images": _digest_arrays(images),
        "calibration": _digest_arrays(arrays),
        "metric": f"{metric.__module__}.{metric_name(metric)}",
        "scheduling": repr(scheduling or Options()),
    }
    points = [
        Point(recipe=name, weights=w, activations=a, accumulator=r)
        for name, w, a, r in product(recipes, weights, activations, accumulators)
    ]
    quantizer = Quantizer(
        graph=ready, accelerator=accelerator, calibration=arrays, range=range, options=chosen, seed=seed
    )
    ids = {point: point_id({**facts, **quantizer.facts(point)}) for point in points}
    store = PointStore(Path(out) / "sweep.csv" if out is not None else None, COLUMNS, later=LATER)
    missing = [point for point in points if ids[point] not in store]
    for point in progress(missing) if missing else ():
        machine = machine_with(accelerator, point.accumulator)
        quantized, reference = quantizer.quantized(point, machine)
        result = simulate(quantized, machine, images, metric=metric, reference=reference, scheduling=scheduling)
        store.add(ids[point], _row(ready, result, machine, point, metric))
    return store.table([ids[point] for point in points])


def _several(choices: str | Sequence[str]) -> Sequence[str]:
    return (choices,) if isinstance(choices, str) else choices


def machine_with(accelerator: Accelerator, accumulator: str) -> Accelerator:
    """Return the machine with ``accumulator`` where it sums over k."""
    keys = ("psum", "accumulator") if accelerator.array.flow.reduces_in_time else ("accumulator",)
    plan = validate(PrecisionPlan, {"default": dict.fromkeys(keys, accumulator)}, "sweep")
    return with_precision(accelerator, plan)


def _row(ready: Graph, result: Result, machine: Accelerator, point: Point, metric: Metric) -> dict[str, Any]:
    summary = result.summary
    shared = {name: summary[name] for name in COLUMNS if name in summary}
    return {
        **shared,
        "network": ready.name,
        "accelerator": machine.name,
        "recipe": point.recipe,
        "weights": point.weights,
        "activations": point.activations,
        "accumulator": point.accumulator,
        "accuracy": summary["metrics"].get(metric_name(metric)),
    }


def _digest(graph: Graph) -> str:
    digest = hashlib.sha256()
    for node in graph.nodes:
        digest.update(repr((node.name, node.op, node.inputs, node.outputs, sorted(node.attributes.items()))).encode())
    for name, tensor in sorted(graph.tensors.items()):
        digest.update(repr((name, tensor.shape)).encode())
        if tensor.data is not None:
            digest.update(np.ascontiguousarray(tensor.data).tobytes())
    return digest.hexdigest()


def _digest_arrays(arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(repr((name, array.shape, str(array.dtype))).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
