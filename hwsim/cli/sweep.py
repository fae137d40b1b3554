"""``hwsim sweep``: the trade-off of bit widths and recipes of a network, resumable, with its plot."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hwsim.cli import options
from hwsim.cli.groups import Images, Loading, Mapper, Precision, Registers, Target, grouped


@grouped()
def sweep(
    *,
    target: Target,
    weights: Annotated[str, typer.Option(help="Formats, or a range of widths.")] = "int2..int8",
    activations: Annotated[str, typer.Option(help="Formats, or a range of widths.")] = "uint4..uint8",
    accumulators: Annotated[
        str, typer.Option(help="Registers, separated by commas.")
    ] = "exact,int16:saturate,int16:wrap",
    recipe: Annotated[
        list[str] | None,
        typer.Option(help="Published methods to compare, separated by commas or repeated (`hwsim show recipes`)."),
    ] = None,
    recipe_options: options.RecipeOptions = None,
    psum: options.PsumText = None,
    requantizer: options.RequantizerText = None,
    runtime: options.RuntimeText = None,
    range_: options.RangeText = None,
    images: Images,
    metric: options.MetricText = "accuracy",
    seed: options.Seed = 0,
    mapper: Mapper,
    out: Annotated[Path, typer.Option(help="Folder of sweep.csv and the plot; a second call resumes.")] = Path("sweep"),
) -> None:
    """Run every combination of recipes and widths, keep each finished point, and draw accuracy against energy and latency."""
    from hwsim.cli import resolve
    from hwsim.cli.data import find_data
    from hwsim.errors import HwsimError
    from hwsim.explore.sweep import sweep as sweep_points
    from hwsim.reporting.progress import progress
    from hwsim.reporting.tradeoff import write_pareto, write_tradeoff

    network = target.network
    plan = resolve.resolve_plan(Precision(requantizer=requantizer), Registers(psum=psum), runtime=runtime)
    machine = resolve.resolve_machine(target, plan)
    graph = resolve.resolve_network(network, Loading(seed=seed))
    recipes = [name.strip() for names in recipe or () for name in names.split(",")]
    stated = resolve.recipe_options(", ".join(recipes) or None, recipe_options)
    data = find_data(network, graph, images, seed)
    if data.images is None or data.calibration is None or "labels" not in data.images:
        raise HwsimError(f"sweep: {network} needs images with labels; give --inputs images.npz with a key labels")
    try:
        table = sweep_points(
            graph,
            machine,
            data.images,
            data.calibration,
            weights=formats(weights),
            activations=formats(activations),
            accumulators=[text.strip() for text in accumulators.split(",")],
            range=range_,
            recipes=recipes or (None,),
            options=stated,
            seed=seed,
            metric=resolve.resolve_metric(metric),
            scheduling=resolve.resolve_scheduling(mapper),
            out=out,
            progress=lambda points: progress(points, "points"),
        )
    except KeyboardInterrupt:
        kept = out / "sweep.csv"
        state = f"finished points are in {kept}" if kept.exists() else "no point was finished yet"
        raise HwsimError(f"sweep: interrupted; {state}, the same command resumes") from None
    picture = write_tradeoff(table, out)
    best = write_pareto(table, out)
    typer.echo(f"{len(table)} points: {out / 'sweep.csv'}")
    typer.echo(f"Pareto front: {best}")
    typer.echo(f"Plot: {picture}")


def formats(text: str) -> list[str]:
    """Return the formats of ``int2..int8`` or ``int4,int8``.

    >>> formats("int2..int4"), formats("uint4, uint8")
    (['int2', 'int3', 'int4'], ['uint4', 'uint8'])
    """
    from hwsim.errors import HwsimError
    from hwsim.numerics.formats import IntFormat

    found: list[str] = []
    for part in text.split(","):
        first, dots, last = (piece.strip() for piece in part.partition(".."))
        low = IntFormat.parse(first)
        high = IntFormat.parse(last) if dots else low
        if (low.signed, low.narrow) != (high.signed, high.narrow) or low.bits > high.bits:
            raise HwsimError(f"formats: {part.strip()!r} must run upwards between formats of one kind, as int2..int8")
        found += [
            str(IntFormat(bits=bits, signed=low.signed, narrow=low.narrow)) for bits in range(low.bits, high.bits + 1)
        ]
    return found
