"""The per-layer table of the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral
from typing import Any

from hwsim.reporting.grids import Cell, Grid, Head, Writer, as_bytes, as_text
from hwsim.reporting.plain import cell as exact
from hwsim.reporting.query import column, total
from hwsim.reporting.words import decibel, energy, is_number, percent, quantity, visible
from hwsim.simulation.result import Result


def _exactly(value: Any) -> str:
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}") if isinstance(value, Integral) else quantity(value)


def _real(value: Any) -> str:
    return f"{value:.3g}" if is_number(value) else quantity(value)


LAYER_COLUMNS: tuple[tuple[str, str, Writer, bool], ...] = (
    ("layer", "layer", as_text, False),
    ("op", "op", as_text, False),
    ("macs", "MACs", quantity, True),
    ("cycles", "cycles", quantity, True),
    ("utilization", "util %", percent, True),
    ("stall_cycles", "stalled", quantity, True),
    ("stall_ifmap_cycles", "for ifmap", quantity, True),
    ("stall_weight_cycles", "for weight", quantity, True),
    ("stall_ofmap_cycles", "for ofmap", quantity, True),
    ("stall_port_cycles", "for ports", quantity, True),
    ("stall_requantizer_cycles", "for requantizer", quantity, True),
    ("dram_bytes", "DRAM", as_bytes, True),
    ("energy_pj", "energy", energy, True),
    ("sqnr_db", "SQNR dB", decibel, True),
    ("max_abs_error", "max error", _real, True),
    ("overflow_events", "overflows", _exactly, True),
    ("overflow_outputs", "in outputs", _exactly, True),
    ("clipped_fraction", "clipped %", lambda value: percent(value, 2), True),
    ("on_chip", "on chip", as_text, False),
    ("tile", "tile", as_text, False),
    ("m", "m", _exactly, True),
    ("k", "k", _exactly, True),
    ("n", "n", _exactly, True),
    ("groups", "groups", _exactly, True),
    ("segments", "segments", _exactly, True),
    ("weights", "weights", as_text, False),
    ("activations", "activations", as_text, False),
    ("psum", "psum", as_text, False),
    ("accumulator", "accumulator", as_text, False),
    ("requantizer", "requantizer", as_text, False),
)
CAUSES = tuple(name for name, *_ in LAYER_COLUMNS if name.startswith("stall_") and name != "stall_cycles")
SUMMED = (
    *("macs", "cycles", "stall_cycles", *CAUSES, "dram_bytes", "energy_pj", "overflow_events", "overflow_outputs"),
)
FROM_SUMMARY = ("utilization", "sqnr_db")


def layer_grid(result: Result) -> Grid:
    """Return the per-layer table; columns that the run did not fill, and causes that stall nothing, are left out."""
    found = [(spec, column(result.layers, spec[0])) for spec in LAYER_COLUMNS]
    kept = [(spec, values) for spec, values in found if spec[0] == "layer" or _says_something(spec[0], values)]
    by_column = [[Cell(spec[2](value), sort_key(value)) for value in values] for spec, values in kept]
    foot = []
    for (name, _, write, _number), values in kept:
        whole = total(values) if name in SUMMED else result.summary.get(name) if name in FROM_SUMMARY else None
        foot.append(Cell("total" if name == "layer" else "" if whole is None else write(whole)))
    rows = list(zip(*by_column, strict=True))
    return Grid([Head(title, number) for (_, title, _, number), _ in kept], rows, foot)


def _says_something(name: str, values: Sequence[Any]) -> bool:
    return any(values) if name in CAUSES else any(value is not None for value in values)


def sort_key(value: Any) -> str:
    """Return what the page's script sorts by, as JavaScript reads it; None and NaN are empty and stay last.

    >>> sort_key(0.5), sort_key(float("-inf")), sort_key(float("nan"))
    ('0.5', '-Infinity', '')
    """
    if isinstance(value, float) and not math.isfinite(value):
        return "" if math.isnan(value) else f"{value:+}".replace("inf", "Infinity").removeprefix("+")
    return visible(exact(value))
