"""``hwsim diagnose``: what costs a quantized network its quality, and what to try."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hwsim.cli import options
from hwsim.cli.groups import Images, Loading, Method, Precision, Registers, Target, grouped

if TYPE_CHECKING:
    from hwsim.tables import Table

SHOWN = 12


@grouped()
def diagnose(
    *,
    target: Target,
    precision: Precision,
    registers: Registers,
    method: Method,
    images: Images,
    dimensions: options.Dimensions = None,
    metric: options.MetricText = "accuracy",
    seed: options.Seed = 0,
    tolerance: Annotated[
        float, typer.Option(min=0.0, help="How much of the metric may be lost before something has to be mended.")
    ] = 0.01,
    sweep_images: Annotated[int, typer.Option(min=1, help="Images of the two runs per quantizer.")] = 128,
    out: Annotated[Path | None, typer.Option(help="Folder for the tables and the figure of the worst tensor.")] = None,
) -> None:
    """Find what costs a quantized network its quality: weights or activations, which tensor, and what to try."""
    from hwsim.cli import resolve
    from hwsim.cli.prepare import prepare
    from hwsim.errors import HwsimError
    from hwsim.quantization.diagnose import diagnose as diagnosed
    from hwsim.quantization.diagnose import used_by
    from hwsim.reporting.diagnosis import write_diagnosis
    from hwsim.reporting.progress import progress

    plan = resolve.resolve_plan(precision, registers, method)
    chosen = resolve.resolve_metric(metric)
    ready = prepare(target, plan, Loading(dimensions=dimensions, seed=seed), method, images)
    if ready.data.images is None:
        raise HwsimError(
            f"diagnose: {target.network} has no images; give --inputs images.npz, or --images N to draw some"
        )
    found = diagnosed(
        ready.graph,
        ready.machine,
        ready.data.images,
        metric=chosen,
        reference=ready.reference,
        tolerance=tolerance,
        used=used_by(
            ready.graph, ready.plan, method.recipe, resolve.recipe_options(method.recipe, method.recipe_options)
        ),
        sweep_images=sweep_images,
        progress=lambda quantizers: progress(quantizers, "quantizers"),
    )
    typer.echo(f"{ready.graph.name}, with what is quantized; everything else is real:")
    _print(found.halves, {"quantized": "", "metric": metric, "sqnr_db": "SQNR dB", "max_error": "max error"})
    typer.echo("each quantizer alone, and all others without it; the worst first:")
    heads = {
        "layer": "layer", "quantizer": "quantizer", "format": "format", "alone": f"{metric} alone",
        "alone_sqnr_db": "SQNR dB", "without": f"{metric} without", "without_sqnr_db": "SQNR dB", "gain_db": "gain dB",
    }  # fmt: skip
    _print(found.quantizers, heads)
    for number, finding in enumerate(found.findings, start=1):
        typer.echo(f"{number}. {finding.text}")
        for advice in finding.advice:
            typer.echo(f"   try {advice}")
    for note in ready.graph.notes:
        typer.echo(f"note: {note}")
    if out is not None:
        for path in write_diagnosis(found, out):
            typer.echo(f"wrote {path}")


def _print(table: Table, heads: dict[str, str]) -> None:
    """Print the columns that say anything, of many rows the first ones."""
    from hwsim.cli.show import aligned

    keys = [key for key in heads if any(value is not None for value in table[key])]
    rows = [tuple(heads[key] for key in keys)]
    rows += [tuple(_cell(key, row[key]) for key in keys) for row in list(table.rows())[:SHOWN]]
    for line in aligned(rows):
        typer.echo(f"  {line}")
    if len(table) > SHOWN:
        typer.echo(f"  and {len(table) - SHOWN} more, see --out")


def _cell(key: str, value: object) -> str:
    from hwsim.reporting.words import decibel, visible

    if key.endswith("_db"):
        return decibel(value)
    return f"{value:.4g}" if isinstance(value, float) else visible(value)
