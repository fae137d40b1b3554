"""``hwsim run``: one network on one machine, with a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hwsim.cli import options
from hwsim.cli.groups import Images, Loading, Mapper, Method, Precision, Registers, Target, grouped


@grouped()
def run(
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
    metric: options.MetricText = "accuracy",
    save_mapping: Annotated[
        Path | None, typer.Option(help="Write the chosen tiles of every layer to this .toml, for --mapping.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("report"),
) -> None:
    """Quantize a network, run it on a machine, and write the report: integers, cycles, energy, traffic."""
    from dataclasses import replace
    from datetime import UTC, datetime

    from hwsim.cli import resolve
    from hwsim.cli.prepare import prepare
    from hwsim.mapping.stated_file import dump_stated, stated_of
    from hwsim.reporting.files import output_folder, write_text
    from hwsim.reporting.manifest import manifest
    from hwsim.reporting.progress import progress
    from hwsim.reporting.report import report
    from hwsim.reporting.terminal import print_result
    from hwsim.simulation.simulate import simulate

    started = datetime.now(UTC).isoformat(timespec="seconds")
    plan = resolve.resolve_plan(precision, registers, method, runtime)
    chosen = resolve.resolve_metric(metric)
    scheduling = resolve.resolve_scheduling(mapper, mapping)
    ready = prepare(target, plan, loading, method, images)
    machine, data = ready.machine, ready.data
    result = simulate(
        ready.graph,
        machine,
        data.images,
        metric=chosen,
        reference=ready.reference,
        progress=lambda parts: progress(parts, "images"),
        scheduling=scheduling,
    )
    files = {**data.files, **({"network": Path(target.network)} if Path(target.network).is_file() else {})}
    files |= {"mapping": mapping} if mapping else {}
    known = manifest(
        resolve.resolved_command(),
        {
            "hardware": machine.model_dump(mode="json"),
            "precision": ready.plan.model_dump(mode="json", exclude_none=True),
        },
        loading.seed,
        files,
        {**result.manifest, "energy_provenance": resolve.energy_provenance(machine)},
        time=started,
    )
    result = replace(result, manifest=known)
    page = report(result, out, accelerator=machine)
    if save_mapping is not None and result.plan is not None:
        with output_folder(save_mapping.parent):
            write_text(save_mapping, dump_stated(stated_of(result.plan)))
    print_result(result)
    if save_mapping is not None:
        typer.echo(f"Mapping: {save_mapping}")
    typer.echo(f"Report: {page}")
