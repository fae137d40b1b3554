"""``hwsim trace``: one inference as a timeline that Perfetto opens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hwsim.cli import options


def trace(
    network: options.Network = options.DEFAULT_NETWORK,
    hardware: options.Hardware = options.DEFAULT_HARDWARE,
    overrides: options.Overrides = None,
    precision: options.Precision = None,
    weights: options.Weights = None,
    activations: options.Activations = None,
    accumulator: options.AccumulatorText = None,
    psum: options.PsumText = None,
    requantizer: options.RequantizerText = None,
    runtime: options.RuntimeText = None,
    batch: options.Batch = 1,
    dimensions: options.Dimensions = None,
    seed: options.Seed = 0,
    objective: options.ObjectiveText = options.DEFAULT_OBJECTIVE,
    residency: options.Residency = True,
    prefetch: options.Prefetch = True,
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

    plan = resolve.resolve_plan(
        precision,
        weights=weights,
        activations=activations,
        accumulator=accumulator,
        psum=psum,
        **resolve.runtime_keys(runtime, requantizer),
    )
    scheduling = resolve.resolve_scheduling(objective, residency, prefetch, mapping)
    graph, machine = prepare_priced(
        network, plan, hardware=hardware, overrides=overrides, batch=batch, dimensions=dimensions, seed=seed
    )
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
