"""Join the cost table's rows with what execution found, layer by layer."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import TYPE_CHECKING, Any

from hwsim.errors import some_of
from hwsim.graph import OPS, Graph, Work, why_real
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
SHOWN = 3  # names in a note


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


def real_product_notes(graph: Graph, on_array: Container[str]) -> tuple[str, ...]:
    """Return a note for every reason why products of codes leave the array for float32, with the first layers it concerns.

    Args:
        graph: the quantized network. Products with a real-valued operand are meant to be real and are not named.
        on_array: names of the layers that the array computes.
    """
    found: dict[str, list[str]] = {}
    for node in graph.nodes:
        if OPS[node.op].work is not Work.GEMM or node.name in on_array:
            continue
        reason = why_real(graph, node)
        if reason is not None and all(graph.tensors[name].quant is not None for name in node.inputs[:2]):
            found.setdefault(reason, []).append(node.name)
    return tuple(f"{_layers(names)} computed in float32 on the vector unit: {why}" for why, names in found.items())


def _layers(names: list[str]) -> str:
    shown = some_of([repr(name) for name in names], SHOWN)
    return f"layer {shown} is" if len(names) == 1 else f"layers {shown} are"
