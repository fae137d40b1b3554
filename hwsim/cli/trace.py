"""``hwsim trace``: one inference as a timeline that Perfetto opens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hwsim.cli import options
from hwsim.cli.groups import Images, Loading, Mapper, Method, Precision, Registers, Target, grouped


@grouped()
def trace(
    *,
    target: Target,
    precision: Precision,
    registers: Registers,
    runtime: options.RuntimeText = None,
    method: Method,
    images: Images,
    loading: Loading,
    mapper: Mapper,
    mapping: options.MappingFile = None,
    layers: Annotated[
        str, typer.Option(help="Layers whose steps are drawn: a name or shell pattern, as conv1 or 'block2.*'.")
    ] = "*",
    limit: Annotated[
        int, typer.Option(min=1, help="Slices of a layer on each track; neighbouring steps are merged beyond that.")
    ] = 200,
    out: Annotated[Path, typer.Option(help="The trace; a name that ends in .gz is compressed.")] = Path("trace.json"),
) -> None:
    """Write when each layer, tile and transfer of one inference happens, for ui.perfetto.dev or chrome://tracing."""
    from fnmatch import fnmatchcase

    from hwsim import __version__
    from hwsim.cli import resolve
    from hwsim.cli.prepare import prepare_priced
    from hwsim.cost.timeline import timeline
    from hwsim.errors import HwsimError, did_you_mean
    from hwsim.reporting.trace import write_trace
    from hwsim.schedule import schedule

    plan = resolve.resolve_plan(precision, registers, method, runtime)
    scheduling = resolve.resolve_scheduling(mapper, mapping)
    graph, machine = prepare_priced(target, plan, loading, method, images)
    decided = schedule(graph, machine, scheduling)
    found = list(timeline(graph, machine, decided))
    if not any(fnmatchcase(layer.layer, layers) for layer in found):
        raise HwsimError(
            f"--layers: no layer of {graph.name} matches {layers!r}{did_you_mean(layers, [layer.layer for layer in found])}"
        )
    about = {
        "command": resolve.resolved_command(),
        "hwsim": __version__,
        "network": graph.name,
        "hardware": machine.name,
        "clock_mhz": machine.clock_mhz,
        "objective": scheduling.objective,
        "on_chip": sorted(decided.resident),
    }
    path = write_trace(
        found,
        out,
        clock_mhz=machine.clock_mhz,
        title=f"{graph.name} on {machine.name}",
        about=about,
        limit=limit,
        detailed=lambda layer: fnmatchcase(layer, layers),
    )
    cycles = found[-1].end
    typer.echo(f"{graph.name} on {machine.name}: {len(found)} layers, {cycles:,} cycles at {machine.clock_mhz:g} MHz")
    typer.echo(f"Trace: {path} (open it in ui.perfetto.dev)")
