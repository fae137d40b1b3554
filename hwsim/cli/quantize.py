"""``hwsim quantize``: a network by a published method, what it keeps and what it costs, and the file of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hwsim.cli import options
from hwsim.cli.groups import Images, Loading, Method, Precision, Registers, Target, grouped

DEFAULT_RECIPE = "white_paper"


@grouped(recipe=DEFAULT_RECIPE)
def quantize(
    *,
    target: Target,
    precision: Precision,
    registers: Registers,
    method: Method,
    images: Images,
    loading: Loading,
    metric: options.MetricText = "accuracy",
    out: Annotated[
        Path | None, typer.Option(help="Write the network with its integers to this .onnx (QDQ) file.")
    ] = None,
) -> None:
    """Quantize a network by a recipe, and print what it keeps, what it asks of the datapath and what it costs."""
    from hwsim.cli import resolve
    from hwsim.cli.prepare import prepare
    from hwsim.cli.show import aligned
    from hwsim.cli.written import check_target, qdq_notes
    from hwsim.interchange.onnx import write_qdq
    from hwsim.mapping.demands import demands_of
    from hwsim.quantization.recipes import recipe_of
    from hwsim.reporting.overview import facts
    from hwsim.simulation.simulate import simulate

    assert method.recipe is not None
    described = recipe_of(method.recipe)
    if out is not None:
        check_target(out)
    plan = resolve.resolve_plan(precision, registers, method)
    chosen = resolve.resolve_metric(metric)
    ready = prepare(target, plan, loading, method, images)
    assert ready.state is not None
    result = simulate(ready.graph, ready.machine, ready.data.images, metric=chosen, reference=ready.reference)
    typer.echo(f"{method.recipe}: {described.title} ({described.paper})")
    rows = [("asks", "; ".join(demands_of(ready.graph).sentences()))]
    rows += [(name, f"{value:.6g}") for name, value in sorted(ready.state.losses.items())]
    rows += [(fact.label, f"{fact.value}  {fact.detail}".rstrip()) for fact in facts(result)]
    for line in aligned(rows):
        typer.echo(f"  {line}")
    for note in result.notes:
        typer.echo(f"note: {note}")
    if out is not None:
        for note in (*write_qdq(ready.graph, out), *qdq_notes(ready.graph)):
            typer.echo(f"note: {note}")
        typer.echo(f"QDQ model: {out}")
