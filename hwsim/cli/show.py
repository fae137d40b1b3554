"""``hwsim show``: what there is to choose from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

import typer


def show(
    what: Annotated[
        str,
        typer.Argument(
            help="hardware, models, recipes, requantizers, modes, ranges, formats, energy, operators or metrics."
        ),
    ],
    name: Annotated[str | None, typer.Argument(help="One of them, in full.")] = None,
) -> None:
    """List the bundled machines, networks, requantizers, range estimators, energy tables or operators."""
    from hwsim.errors import HwsimError, did_you_mean

    if what not in LISTS:
        raise HwsimError(f"show: {what!r} is nothing to show{did_you_mean(what, LISTS)}")
    typer.echo(LISTS[what](name))


def aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return rows of cells as lines with columns under one another.

    >>> aligned([("a", "bc"), ("def", "g")])
    ['a    bc', 'def  g']
    """
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _rows(title: str, rows: Sequence[tuple[str, ...]]) -> str:
    return "\n".join([title, *(f"  {line}" for line in aligned(rows))])


def _hardware(name: str | None) -> str:
    from hwsim.hardware import dump_toml, load_accelerator, preset_names

    if name is not None:
        return dump_toml(load_accelerator(name))
    machines = [load_accelerator(preset) for preset in preset_names()]
    rows = [
        (
            m.name,
            f"{m.array.rows}x{m.array.columns}",
            m.array.dataflow,
            f"{m.clock_mhz:g} MHz",
            m.energy_table,
            m.description,
        )
        for m in machines
    ]
    return _rows("machines (hwsim show hardware NAME prints the file):", rows)


def _models(name: str | None) -> str:
    from hwsim.zoo import entry, names

    if name is not None:
        record = entry(name)
        return _rows(record.name, [(key, str(getattr(record, key))) for key in record.__slots__])
    rows = []
    for model in names():
        record = entry(model)
        quality = f"accuracy {record.float_accuracy:.4f}" if record.float_accuracy is not None else "not trained"
        rows.append(
            (
                record.name,
                f"{record.macs / 1e6:,.1f} MMAC",
                f"{record.parameters / 1e6:,.2f} M parameters",
                quality,
                record.note,
            )
        )
    return _rows("networks:", rows)


def _requantizers(name: str | None) -> str:
    from hwsim.numerics import requantizers

    found = [name] if name else list(requantizers.names())
    return _rows("requantizers:", [(each, _headline(requantizers.definition(each).module.__doc__)) for each in found])


def _modes(name: str | None) -> str:
    from hwsim.errors import HwsimError
    from hwsim.hardware import modes

    if name is None:
        rows = [(modes.definition(each).EXAMPLE, _headline(modes.definition(each).__doc__)) for each in modes.names()]
        return _rows(
            "modes of the multiply-accumulate (datapath.mac; hwsim show modes NAME shows one at all widths):", rows
        )
    try:
        mode = modes.mode_of(name if ":" in name or name not in modes.names() else modes.definition(name).EXAMPLE)
    except ValueError as error:
        raise HwsimError(f"show modes: {error}") from None
    table: list[tuple[str, ...]] = [("activation x weight", "lanes along k", "along n", "cycles", "products a cycle")]
    for a, w in ((a, w) for a in MODE_BITS for w in MODE_BITS if not mode.problem(a, w)):
        shape = mode.shape(a, w)
        lanes = (shape.k_lanes, shape.n_lanes, shape.cycles_per_vector, shape.macs_per_cycle)
        table.append((f"{a} x {w}", *map(str, lanes)))
    return _rows(f"{mode}, one processing element:", table)


def _ranges(name: str | None) -> str:
    from importlib import import_module

    from hwsim.quantization import ranges

    found = [name] if name else list(ranges.names())
    docs = [(each, _headline(import_module(ranges.estimator(each).__module__).__doc__)) for each in found]
    return _rows("range estimators:", docs)


def _recipes(name: str | None) -> str:
    from hwsim.quantization.recipes import names, recipe_of
    from hwsim.quantization.recipes.probe import probed

    if name is None:
        rows = [(each, recipe_of(each).title) for each in names()]
        return _rows("recipes (hwsim show recipes NAME tells paper, options and demands):", rows)
    recipe = recipe_of(name)
    asks = f"{'; '.join(probed(name))} (by default, read off a probe network of four small layers)"
    facts = [("title", recipe.title), ("paper", recipe.paper), ("asks of the datapath", asks)]
    facts += [("images", "none needed" if recipe.is_data_free else "calibration images")]
    facts += [("needs", 'pip install "hwsim[train]"')] if recipe.needs_torch else []
    for option in recipe.options:
        among = f" ({', '.join(map(str, option.choices))})" if option.choices else ""
        among += f' (needs pip install "hwsim[{option.extra}]")' if option.extra else ""
        facts.append((f"--option {option.name}={option.default}", option.help + among))
    return _rows(name, facts)


def _formats(name: str | None) -> str:
    from hwsim.numerics.formats import parse_format
    from hwsim.numerics.formats.parse import EXAMPLES

    rows = []
    for text in [name] if name else EXAMPLES:
        number = parse_format(text)
        low, high = (float(number.unit * end) for end in number.operand_range)
        rows.append((text, f"{number.bits} bits, {low:.6g} .. {high:.6g} in multiples of {float(number.unit):.6g}"))
    return _rows(
        "formats (--weights takes integers of 1 to 32 bits, tables and floats to 16 bits, and power4 or codebook4, which each "
        "layer learns; --activations integers; registers integers to 64 bits; files bring any of these):",
        rows,
    )


def _energy(name: str | None) -> str:
    from hwsim.energy import load_table, table_names

    if name is not None:
        rows = [(row.component, row.formula, row.status, row.source) for row in load_table(name).provenance()]
        return _rows(name, rows)
    return _rows("energy tables:", [(each, load_table(each).description) for each in table_names()])


def _operators(name: str | None) -> str:
    from hwsim.graph import OPS

    found = [name] if name else sorted(OPS)
    return _rows(
        "operators:",
        [(op, str(OPS[op].work), ", ".join(OPS[op].attributes)) for op in found if op in OPS] or [("none",)],
    )


def _metrics(name: str | None) -> str:
    from hwsim.simulation.metrics import accuracy, metric_of

    functions = [metric_of(name)] if name else [accuracy]
    return _rows("metrics (or module:function of yours):", [(f.__name__, _headline(f.__doc__)) for f in functions])


MODE_BITS = (1, 2, 4, 8, 16)


def _headline(text: str | None) -> str:
    return (text or "").strip().splitlines()[0]


LISTS: dict[str, Callable[[str | None], str]] = {
    "hardware": _hardware,
    "models": _models,
    "recipes": _recipes,
    "requantizers": _requantizers,
    "modes": _modes,
    "ranges": _ranges,
    "formats": _formats,
    "energy": _energy,
    "operators": _operators,
    "metrics": _metrics,
}
