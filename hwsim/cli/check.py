"""``hwsim check``: will this network run on this machine, and can its accumulators overflow?"""

from __future__ import annotations

import typer

from hwsim.cli import options


def check(
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
) -> None:
    """Validate a network, a machine and a precision plan together, and print each layer's accumulator widths."""
    from hwsim.cli import resolve
    from hwsim.cli.show import aligned
    from hwsim.cost import cost
    from hwsim.explore.check import overflow_table
    from hwsim.quantization import Scheme, quantize
    from hwsim.schedule import schedule

    plan = resolve.resolve_plan(
        precision,
        weights=weights,
        activations=activations,
        accumulator=accumulator,
        psum=psum,
        **resolve.runtime_keys(runtime, requantizer),
    )
    machine = resolve.resolve_machine(hardware, overrides, plan)
    graph = resolve.resolve_network(network, batch, dimensions, seed)
    plan = resolve.plan_of(graph, plan)
    quantized = quantize(graph, Scheme(plan=plan), None)
    mappings = schedule(quantized, machine)
    cost(quantized, machine, mappings)  # prices everything, so that what `run` would refuse is refused here
    rows = list(overflow_table(quantized, machine, mappings).rows())
    head = ("layer", "psum: types", "weights", "machine", "accumulator: types", "weights", "machine", "")
    keys = ("layer", "psum_type_bits", "psum_bits", "psum", "accumulator_type_bits", "accumulator_bits", "accumulator")
    lines = [head, *((*(str(row[key]) for key in keys), "" if row["is_safe"] else "can overflow") for row in rows)]
    typer.echo("least safe register widths in bits, by the data types and by the weights:")
    for line in aligned(lines):
        typer.echo(line)
    unsafe = sum(not row["is_safe"] for row in rows)
    typer.echo(f"{graph.name} fits {machine.name}: {len(rows)} array layers, {unsafe or 'none'} can overflow")
