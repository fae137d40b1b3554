"""``hwsim vectors``: the integers of a network's layers as files that a Verilog test bench reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hwsim.cli import options
from hwsim.cli.groups import Images, Loading, Method, Precision, Registers, Target, grouped

DEFAULT_IMAGES = 1


@grouped(images=DEFAULT_IMAGES)
def vectors(
    *,
    target: Target,
    precision: Precision,
    registers: Registers,
    runtime: options.RuntimeText = None,
    method: Method,
    images: Images,
    loading: Loading,
    layers: Annotated[str, typer.Option(help="Layer name or shell pattern, as conv1 or 'block2.*'.")] = "*",
    formats: Annotated[str, typer.Option("--format", help="npz, hex ($readmemh) or both: npz,hex.")] = "npz,hex",
    limit: Annotated[
        int | None, typer.Option(min=1, help="Words of a layer's largest array; larger layers are cut. [1048576]")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the vectors: new, empty, or of an earlier run.")] = Path(
        "vectors"
    ),
) -> None:
    """Run a quantized network and write each layer's operands, partial sums after each fold, accumulators and results."""
    from hwsim.cli import resolve
    from hwsim.cli.prepare import prepare
    from hwsim.errors import HwsimError
    from hwsim.simulation.vectors import write_vectors
    from hwsim.simulation.vectors.write import DEFAULT_LIMIT

    plan = resolve.resolve_plan(precision, registers, method, runtime)
    ready = prepare(target, plan, loading, method, images)
    if ready.data.images is None:
        raise HwsimError(f"{ready.graph.name}: golden vectors need images; give --inputs images.npz")
    index = write_vectors(
        ready.graph,
        ready.machine,
        ready.data.images,
        out,
        layers=layers,
        formats=tuple(part.strip() for part in formats.split(",")),
        limit=limit or DEFAULT_LIMIT,
        progress=lambda layer: typer.echo(f"  {layer}"),
    )
    typer.echo(f"Vectors: {index}")
