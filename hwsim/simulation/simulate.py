"""``hwsim.simulate``: one network, one machine, and optionally images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from hwsim.cost import CostReport, cost
from hwsim.errors import HwsimError
from hwsim.execute.integer import check_executable
from hwsim.graph import Graph
from hwsim.hardware import Accelerator
from hwsim.mapping.plan import Plan
from hwsim.schedule import Options, schedule
from hwsim.simulation.inputs import check_reference, chunks_of, split_labels
from hwsim.simulation.layers import join_numbers, overflow_notes, real_product_notes
from hwsim.simulation.metrics import Metric, accuracy, measured, metric_name
from hwsim.simulation.result import Result
from hwsim.simulation.summary import summarize
from hwsim.tables import Table

Chunk = dict[str, np.ndarray]
AGAINST = (
    "float metrics and the SQNR of the outputs are against the network as it came; the error of a layer is against the float "
    "values of the network that was quantized"
)


def simulate(
    graph: Graph,
    accelerator: Accelerator,
    inputs: Mapping[str, np.ndarray] | None = None,
    *,
    labels: np.ndarray | None = None,
    metric: Metric = accuracy,
    compare: bool = True,
    reference: Graph | None = None,
    progress: Callable[[list[Chunk]], Iterable[Chunk]] = iter,
    scheduling: Options | None = None,
) -> Result:
    """Return what ``graph`` computes and costs on ``accelerator``.

    Args:
        graph: a quantized network (``hwsim.quantize``); its batch is what one inference of the cost model processes.
        accelerator: the machine (``hwsim.accelerator``).
        inputs: arrays by input name ``[images, ...]``, optionally with ``labels`` among them, their dimensions in the order
            of the file (``[images, height, width, channels]`` for .tflite) or of the graph. None: cost only, which
            compiles no kernels and needs no calibration.
        labels: ``[images]``, for the metric.
        metric: ``(outputs by name, labels) -> number``.
        compare: also run the float network and report the error of every layer.
        reference: the float network as it came, where a method transformed it before it was quantized: the ``float_`` metrics
            and the SQNR of the outputs are against what this network makes. The errors of layers stay against the float data
            of ``graph``: a transformed layer has no counterpart. None: ``graph`` without its grids.
        progress: wraps the list of image chunks, to show how far the execution is.
        scheduling: what the mapper minimizes, whether activations stay on chip, and mappings that are given
            (``hwsim.schedule.Options``).

    Raises:
        GraphError, MappingError, ExecutionError: a network without grids, a layer that fits no buffer, wrong inputs, grids
            that a layer's requantizer or multiplier cannot compute (with or without inputs), a reference with grids or with
            other inputs or outputs.
        HwsimError: a reference without comparison.
    """
    if reference is not None and not compare:
        raise HwsimError("simulate: a reference is compared with, which compare=False leaves out; state one of them")
    check_executable(graph, accelerator)
    if reference is not None:
        check_reference(graph, reference)
    scheduling = scheduling or Options()
    plan = schedule(graph, accelerator, scheduling)
    report = cost(graph, accelerator, plan)
    if inputs is None:
        return _result(graph, accelerator, plan, scheduling, report, report.layers)
    from hwsim.execute.integer import Layer  # here, so that a cost-only run compiles nothing
    from hwsim.simulation.compare import execute

    arrays, labels = split_labels(graph, inputs, labels)
    layers = {node.name: Layer.of(graph, node, accelerator, plan.mappings.get(node.name)) for node in graph.nodes}
    numbers = execute(graph, layers, progress(chunks_of(graph, arrays)), compare=compare, original=reference)
    gating = {name: layer.counters for name, layer in layers.items() if layer.counters.products}
    if gating:
        products = {name: (found.active_products, found.products) for name, found in gating.items()}
        report = cost(graph, accelerator, plan, products)
    table = join_numbers(graph, report.layers, layers, numbers.errors)
    metrics: dict[str, float] = {}
    if labels is not None:
        metrics[metric_name(metric)] = measured(metric, numbers.outputs, labels)
        if compare:
            metrics[f"float_{metric_name(metric)}"] = measured(metric, numbers.reference, labels)
    errors = [error.sqnr_db for error in numbers.output_errors.values()]
    images = len(next(iter(arrays.values())))
    result = _result(
        graph, accelerator, plan, scheduling, report, table, numbers.outputs, metrics, min(errors, default=None), images
    )
    return result if reference is None else replace(result, notes=(*result.notes, AGAINST))


def _result(
    graph: Graph,
    accelerator: Accelerator,
    plan: Plan,
    scheduling: Options,
    report: CostReport,
    layers: Table,
    outputs: Mapping[str, np.ndarray] | None = None,
    metrics: Mapping[str, float] | None = None,
    sqnr_db: float | None = None,
    images: int = 0,
) -> Result:
    summary: dict[str, Any] = summarize(graph, accelerator, report, layers)
    summary |= {"sqnr_db": sqnr_db, "images": images, "metrics": dict(metrics or {})}
    manifest = {
        "network": graph.name,
        "accelerator": accelerator.model_dump(mode="json"),
        "scheduling": {
            "objective": scheduling.objective,
            "residency": scheduling.residency,
            "prefetch": plan.prefetch,
            "on_chip": sorted(plan.resident),
            "stated": scheduling.stated.model_dump(mode="json", exclude_none=True) if scheduling.stated else None,
        },
        "tensors": {
            name: {
                "shape": list(tensor.shape),
                "format": str(tensor.quant.format),
                "scales": len(tensor.quant.zero_point),
            }
            for name, tensor in graph.tensors.items()
            if tensor.quant is not None
        },
    }
    return Result(
        layers=layers,
        accesses=report.accesses,
        compute=report.compute,
        energy=report.energy,
        area=report.area,
        summary=summary,
        outputs=outputs or {},
        manifest=manifest,
        notes=(*graph.notes, *real_product_notes(graph, plan.mappings), *overflow_notes(layers)),
        plan=plan,
    )
