"""Cycles of each layer, stacked by what they are spent on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hwsim.reporting.figures._bars import layer_axes, stack
from hwsim.reporting.figures._style import need, styled
from hwsim.reporting.palette import BLUE, GREEN, ORANGE, PURPLE, SAND, SKY, SLATE, VERMILION, WINE
from hwsim.reporting.query import column, total
from hwsim.reporting.words import percent
from hwsim.simulation.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hwsim.hardware import Accelerator

SUBJECT, ORDER = "result", 20
TITLE = "Cycles by layer"
CAPTION = (
    "Clock cycles of each layer: computing, filling and draining the array, waiting for operands, for room for results, for "
    "memory ports or for the requantizers, and the vector unit."
)
COLOURS = {
    "compute": BLUE,
    "fill": SKY,
    "drain": GREEN,
    "vector": SAND,
    "stall_ifmap": VERMILION,
    "stall_weight": ORANGE,
    "stall_ofmap": PURPLE,
    "stall_port": WINE,
    "stall_requantizer": SLATE,
}


@styled
def draw(result: Result, accelerator: Accelerator | None = None) -> Figure:
    """Draw the bars; raise NothingToDraw for a result without cycles."""
    from matplotlib.ticker import EngFormatter

    found = {name: [value or 0 for value in column(result.layers, f"{name}_cycles")] for name in COLOURS}
    parts = {name: values for name, values in found.items() if any(values)}
    need(parts, "No layer takes a cycle.")
    whole = total([value for values in parts.values() for value in values]) or 1
    figure, axes = layer_axes([str(name) for name in result.layers["layer"]])
    words = {name: f"{name.replace('_', ': ')} {percent(sum(values) / whole)} %" for name, values in parts.items()}
    stack(axes, parts, COLOURS, words)
    axes.yaxis.set_major_formatter(EngFormatter())
    axes.set_ylabel("cycles")
    return figure
