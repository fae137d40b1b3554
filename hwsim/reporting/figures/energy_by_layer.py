"""Energy of each layer, stacked by component."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hwsim.reporting.figures._bars import layer_axes, stack
from hwsim.reporting.figures._style import label, need, styled
from hwsim.reporting.palette import colours
from hwsim.reporting.query import components, energy_by_component_and_layer
from hwsim.reporting.words import percent
from hwsim.simulation.result import Result
from hwsim.units import PICO

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hwsim.hardware import Accelerator

SUBJECT, ORDER = "result", 10
TITLE = "Energy by layer"
CAPTION = (
    "Energy of one batch in each layer, stacked by component; the share of the whole network stands in the legend."
)


@styled
def draw(result: Result, accelerator: Accelerator | None = None) -> Figure:
    """Draw the bars; raise NothingToDraw for a result without energy."""
    from matplotlib.ticker import EngFormatter

    totals = dict(components(result))
    whole = sum(totals.values())
    need(whole > 0 and len(result.layers), "No energy was priced; the machine's energy table gives none.")
    rows = energy_by_component_and_layer(result)
    parts = {name: [value * PICO for value in values] for name, values in rows.items() if any(values)}
    figure, axes = layer_axes([str(name) for name in result.layers["layer"]])
    words = {name: f"{label(name)} {percent(totals[name] / whole)} %" for name in parts}
    stack(axes, parts, colours(totals), words)
    axes.yaxis.set_major_formatter(EngFormatter(unit="J"))
    axes.set_ylabel("energy")
    return figure
