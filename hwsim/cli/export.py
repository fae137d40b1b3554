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
    recipe: options.RecipeName = None,
    recipe_options: options.RecipeOptions = None,
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
    from hwsim.cli.prepare import prepare
    from hwsim.cli.written import check_target, qdq_notes
    from hwsim.errors import HwsimError, did_you_mean
    from hwsim.execute.integer import check_executable
    from hwsim.interchange.onnx import write_qdq
    from hwsim.interchange.qonnx import write_qonnx
    from hwsim.zoo import names

    writers = {"qdq": write_qdq, "qonnx": write_qonnx}
    if format_ not in writers:
        raise HwsimError(f"--format: {format_!r} is unknown{did_you_mean(format_, writers)}")
    check_target(out)
    plan = resolve.resolve_plan(
        precision,
        weights=weights,
        activations=activations,
        requantizer=requantizer,
        range=range_,
        weight_granularity=granularity,
    )
    ready = prepare(
        network,
        plan,
        hardware=hardware,
        overrides=overrides,
        inputs=inputs,
        calibration=calibration,
        images=images,
        batch=batch,
        dimensions=dimensions,
        seed=seed,
        recipe=recipe,
        recipe_options=recipe_options,
    )
    if any(tensor.quant is not None and tensor.quant.scale is None for tensor in ready.graph.tensors.values()):
        drawn = ", or --images N to draw them" if network in names() else ""
        raise HwsimError(f"export: {network} needs images that set the ranges; give --calibration images.npz{drawn}")
    check_executable(ready.graph, ready.machine)
    notes = writers[format_](ready.graph, out)
    for note in (*notes, *(qdq_notes(ready.graph) if format_ == "qdq" else ())):
        typer.echo(f"note: {note}")
    typer.echo(f"{format_.upper()} model: {out}")
