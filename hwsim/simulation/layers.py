"""Join the cost table's rows with what execution found, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hwsim.graph import Graph
from hwsim.tables import Table

if TYPE_CHECKING:
    from hwsim.execute.integer import Layer
    from hwsim.simulation.compare import Error

NUMERIC_COLUMNS = (
    "sqnr_db",
    "max_abs_error",
    "overflow_events",
    "overflow_outputs",
    "clipped_fraction",
    "peak_accumulator",
)


def join_numbers(graph: Graph, costs: Table, layers: Mapping[str, Layer], errors: Mapping[str, Error]) -> Table:
    """Return the cost rows with the numeric columns of the layer they name."""
    rows = []
    for row in costs.rows():
        node = graph.node_of[row["layer"]]
        rows.append({**row, **_numbers(layers[node.name], errors.get(node.outputs[0]))})
    return Table.of_records(rows)


def _numbers(layer: Layer, error: Error | None) -> dict[str, Any]:
    counters = layer.counters
    on_array = layer.mapping is not None
    values: tuple[Any, ...] = (
        error.sqnr_db if error else None,
        error.largest if error else None,
        counters.overflow_events if on_array else None,
        counters.overflow_outputs if on_array else None,
        counters.clipped / counters.requantized if counters.requantized else None,
        counters.peak if on_array else None,
    )
    return dict(zip(NUMERIC_COLUMNS, values, strict=True))


def overflow_notes(layers: Table) -> tuple[str, ...]:
    """Return a note that names the layers whose partial sums did not fit their registers, the worst first."""
    if "overflow_events" not in layers.columns:
        return ()
    over = sorted(
        ((row["overflow_events"], row["layer"]) for row in layers.rows() if row["overflow_events"]), reverse=True
    )
    if not over:
        return ()
    events, worst = over[0]
    return (
        f"partial sums overflowed in {len(over)} layers, most in {worst!r} ({events} additions); hwsim check shows safe widths",
    )
