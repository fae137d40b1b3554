"""The debugging flow of quantization (Nagel et al. 2021, arXiv 2106.08295): is it the quantization, which half, which tensor, what to try.

A quantizer is switched off by taking its grid away: its tensor is then real, and what reads it computes in float32. So the
flow asks any network with grids, whichever method or file they came from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from hwsim.errors import HwsimError
from hwsim.execute.integer import check_executable
from hwsim.graph import Graph
from hwsim.hardware.accelerator import Accelerator
from hwsim.quantization.diagnose.advise import AS_IT_CAME, TOLERANCE, Finding, Measured, findings
from hwsim.quantization.diagnose.bench import Bench, Score, with_exact_registers
from hwsim.quantization.diagnose.channel_ranges import ChannelRanges, channel_ranges
from hwsim.quantization.diagnose.quantizers import Quantizer, quantizers_of
from hwsim.quantization.diagnose.sanity import fine_score
from hwsim.quantization.diagnose.sweep import sweep
from hwsim.quantization.diagnose.used import NOTHING, Used
from hwsim.simulation.inputs import split_labels
from hwsim.simulation.metrics import Metric, accuracy
from hwsim.tables import Table

SWEEP_IMAGES = 128


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Diagnosis:
    """What is wrong with a quantized network.

    Args:
        halves: columns ``quantized metric sqnr_db max_error``; rows ``as it came`` (the float network before it was transformed,
            where it is given), ``float``, ``weights``, ``activations``, ``both`` (with exact registers), ``machine`` (with its own)
            and ``fine grids``. What the float network makes is the reference of all.
        quantizers: a row per quantizer, see ``sweep``.
        culprit: the channels of the tensor whose quantizer costs most alone.
        findings: what follows, in the order of the flow.
    """

    halves: Table
    quantizers: Table
    culprit: ChannelRanges
    findings: tuple[Finding, ...]


def diagnose(
    graph: Graph,
    machine: Accelerator,
    inputs: Mapping[str, np.ndarray],
    *,
    labels: np.ndarray | None = None,
    metric: Metric = accuracy,
    reference: Graph | None = None,
    tolerance: float = TOLERANCE,
    used: Used = NOTHING,
    sweep_images: int = SWEEP_IMAGES,
    progress: Callable[[tuple[Quantizer, ...]], Iterable[Quantizer]] = iter,
) -> Diagnosis:
    """Return what costs a quantized network its quality, and what to try.

    Args:
        graph: with calibrated grids.
        machine: that it runs on.
        inputs: arrays by input name ``[images, ...]``, optionally with ``labels`` among them.
        labels: ``[images]``, for the metric.
        metric: ``(outputs by name, labels) -> number``, higher is better; without labels noise is what counts.
        reference: the float network before a method transformed it; None where none did.
        tolerance: how much of the metric may be lost.
        used: what made the grids (``used_by``), which the findings do not advise again.
        sweep_images: how many images the runs per quantizer use, two runs each.
        progress: wraps the quantizers, to show how far the sweep is.

    Raises:
        HwsimError: a network without calibrated grids.
        ExecutionError: inputs that do not fit it, grids that the machine cannot compute.
    """
    quantizers = quantizers_of(graph)
    if not quantizers:
        raise HwsimError(f"diagnose: {graph.name} has no grids; quantize it with calibration images first")
    check_executable(graph, machine)
    images, found = split_labels(graph, inputs, labels)
    exact = with_exact_registers(machine)
    bench = Bench(graph, exact, images, found, metric)
    scores = {} if reference is None else {AS_IT_CAME: bench.score_of_float(reference)}
    scores["float"] = bench.float_score()
    for kind in ("weights", "activations"):
        scores[kind] = bench.measure([quantizer for quantizer in quantizers if quantizer.kind == kind])
    scores["both"] = bench.measure()
    scores["machine"] = Bench(graph, machine, images, found, metric).measure()
    fine = fine_score(bench, images)
    few = {name: array[:sweep_images] for name, array in images.items()}
    labels = None if found is None else found[:sweep_images]
    small = Bench(graph, exact, few, labels, metric, mappings=bench.mappings)
    table, worst = sweep(small, quantizers, progress)
    ranges = channel_ranges(graph, worst, few)
    measured = Measured(
        graph=graph,
        fine=fine,
        scores=scores,
        worst=worst,
        ranges=ranges,
        tolerance=tolerance,
        used=used,
    )
    return Diagnosis(
        halves=_table({**scores, "fine grids": fine}),
        quantizers=table,
        culprit=ranges,
        findings=findings(measured),
    )


def _table(scores: Mapping[str, Score]) -> Table:
    rows = [(name, score.metric, score.sqnr_db, score.max_error) for name, score in scores.items()]
    return Table.of(("quantized", "metric", "sqnr_db", "max_error"), rows)
