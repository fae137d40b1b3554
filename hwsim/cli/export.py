"""``hwsim export``: the quantized network as a file for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hwsim.cli import options


def export(
    network: options.Network = options.DEFAULT_NETWORK,
    format_: Annotated[
        str, typer.Option("--format", help="qdq (ONNX, QuantizeLinear and DequantizeLinear) or qonnx.")
    ] = "qdq",
    out: Annotated[Path, typer.Option(help="The .onnx file to write.")] = Path("quantized.onnx"),
    hardware: options.Hardware = options.DEFAULT_HARDWARE,
    overrides: options.Overrides = None,
    precision: options.Precision = None,
    weights: options.Weights = None,
    activations: options.Activations = None,
    requantizer: options.RequantizerText = None,
    range_: options.RangeText = None,
    granularity: options.Granularity = None,
    inputs: options.Inputs = None,
    calibration: options.Calibration = None,
    images: options.Images = None,
    batch: options.Batch = 1,
    dimensions: options.Dimensions = None,
    seed: options.Seed = 0,
) -> None:
    """Quantize a network as `hwsim run` does, and write it as ONNX QDQ or QONNX.

    The machine decides only whether scales must be powers of two, because its requantizer can do no more than shift.
    """
    from hwsim.cli import resolve
    from hwsim.errors import HwsimError, did_you_mean
    from hwsim.interchange.onnx import write_qdq
    from hwsim.interchange.qonnx import write_qonnx
    from hwsim.quantization import Scheme, quantize, shifts_only

    writers = {"qdq": write_qdq, "qonnx": write_qonnx}
    if format_ not in writers:
        raise HwsimError(f"--format: {format_!r} is unknown{did_you_mean(format_, writers)}")
    plan = resolve.resolve_plan(
        precision,
        weights=weights,
        activations=activations,
        **resolve.runtime_keys(None, requantizer),
        range=range_,
        weight_granularity=granularity,
    )
    machine = resolve.resolve_machine(hardware, overrides, plan)
    graph = resolve.resolve_network(network, batch, dimensions, seed)
    plan = resolve.plan_of(graph, plan)
    data = resolve.resolve_data(network, graph, inputs, calibration, images, seed)
    if data.calibration is None and not graph.is_quantized:
        raise HwsimError(
            f"export: {network} needs images that set the ranges; give --calibration images.npz, or --images N to draw them"
        )
    shown = {name: array for name, array in (data.calibration or {}).items() if name in graph.inputs}
    scheme = Scheme(plan=plan, power_of_two=shifts_only(graph, machine))
    quantized = quantize(graph, scheme, shown or None)
    for note in writers[format_](quantized, out):
        typer.echo(f"note: {note}")
    typer.echo(f"{format_.upper()} model: {out}")
