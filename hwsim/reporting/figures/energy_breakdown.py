"""Energy of each component, stacked by the operand that it was spent on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hwsim.reporting.figures._style import PAPER, WIDTH_INCHES, label, need, styled
from hwsim.reporting.palette import GREY, colours
from hwsim.reporting.query import NO_OPERAND, components, energy_by_component_and_operand, operands
from hwsim.reporting.words import energy, percent
from hwsim.simulation.result import Result
from hwsim.units import PICO

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hwsim.hardware import Accelerator

SUBJECT, ORDER = "result", 15
TITLE = "Where the energy goes"
CAPTION = "Energy of one batch by component and operand; arithmetic, leakage and clock belong to no operand."


@styled
def draw(result: Result, accelerator: Accelerator | None = None) -> Figure:
    """Draw a bar per component; raise NothingToDraw for a result without energy."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter

    totals = dict(components(result))
    whole = sum(totals.values())
    need(whole > 0, "No energy was priced; the machine's energy table gives none.")
    sums = energy_by_component_and_operand(result)
    kinds = operands(sums)
    colour = colours(name for name in kinds if name != NO_OPERAND) | {NO_OPERAND: GREY}
    figure = Figure(figsize=(WIDTH_INCHES, 1.2 + 0.32 * len(sums)), layout="constrained")
    axes = figure.add_subplot()
    places = list(range(len(sums)))
    left = [0.0] * len(sums)
    for kind in kinds:
        widths = [cells.get(kind, 0.0) * PICO for cells in sums.values()]
        word = "no operand" if kind == NO_OPERAND else label(kind)
        axes.barh(places, widths, 0.68, left, color=colour[kind], edgecolor=PAPER, linewidth=0.6, label=word)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    for place, (name, end) in enumerate(zip(sums, left, strict=True)):
        text = f"{percent(totals[name] / whole)} %, {energy(totals[name])}"
        axes.annotate(text, (end, place), (5, 0), textcoords="offset points", va="center", fontsize=8.5)
    axes.set_yticks(places, [label(name) for name in sums])
    axes.set_xlim(0, max(left) * 1.18)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_formatter(EngFormatter(unit="J"))
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    figure.legend(loc="outside upper left", ncols=len(kinds))
    return figure
