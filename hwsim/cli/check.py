"""``hwsim check``: will this network run on this machine, and can its accumulators overflow?"""

from __future__ import annotations

from typing import Any

import typer

from hwsim.cli import options
from hwsim.cli.groups import Images, Loading, Mapper, Method, Precision, Registers, Target, grouped


@grouped()
def check(
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
) -> None:
    """Validate a network, a machine and a precision plan together, and print each layer's accumulator widths."""
    from hwsim.cli import resolve
    from hwsim.cli.prepare import prepare_priced
    from hwsim.cli.show import aligned
    from hwsim.cost import cost
    from hwsim.explore.check import SUFFIXES, overflow_table
    from hwsim.schedule import schedule

    plan = resolve.resolve_plan(precision, registers, method, runtime)
    quantized, machine = prepare_priced(target, plan, loading, method, images)
    decided = schedule(quantized, machine, resolve.resolve_scheduling(mapper, mapping))
    cost(quantized, machine, decided)  # prices everything, so that what `run` would refuse is refused here
    rows = list(overflow_table(quantized, machine, decided.mappings).rows())
    for register in ("psum", "accumulator"):
        typer.echo(
            f"least safe {register} width in bits, by the data types, A2Q, A2Q+ and the exact range of the weights:"
        )
        keys = (*(f"{register}{suffix}" for suffix in SUFFIXES.values()), register)
        head = ("layer", "types", "A2Q", "A2Q+", "exact", "machine", "")
        lines = [head, *((row["layer"], *(_cell(row[key]) for key in keys), _verdict(row, register)) for row in rows)]
        for line in aligned(lines):
            typer.echo(f"  {line}")
    uncentred = sum(not row["is_zero_centred"] and row["psum_l1_centred_bits"] is not None for row in rows)
    if uncentred:
        typer.echo(
            f"A2Q+ asks for weights that sum to zero; in {uncentred} layers it uses the L1 norm plus |sum| instead"
        )
    if not all(row["is_bias_counted"] for row in rows):
        typer.echo(
            "preloaded biases are not all counted: they are unknown before activations are calibrated, or while the run "
            "finds their zero points"
        )
    unsafe = sum(not row["is_safe"] for row in rows)
    typer.echo(f"{quantized.name} fits {machine.name}: {len(rows)} array layers, {unsafe or 'none'} can overflow")


def _cell(value: object) -> str:
    return "-" if value is None else str(value)


def _verdict(row: dict[str, Any], register: str) -> str:
    from hwsim.numerics.accumulator import Accumulator

    held = Accumulator.parse(row[register]).bits
    needed = row[f"{register}_bits"]
    return "" if held is None or (needed is not None and needed <= held) else "can overflow"
