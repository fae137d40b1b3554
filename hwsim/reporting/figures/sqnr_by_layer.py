"""Signal to quantization noise ratio after each layer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hwsim.reporting.figures._bars import layer_axes
from hwsim.reporting.figures._style import PAPER, RULE, need, styled
from hwsim.reporting.palette import BLUE, GREEN, VERMILION
from hwsim.reporting.query import column
from hwsim.reporting.words import is_number
from hwsim.simulation.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hwsim.hardware import Accelerator

SUBJECT, ORDER = "result", 30
TITLE = "SQNR by layer"
CAPTION = (
    "Signal to quantization noise ratio of each layer's output against the float network, with the error of all layers "
    "before it; 6 dB is one bit."
)


@styled
def draw(result: Result, accelerator: Accelerator | None = None) -> Figure:
    """Draw a dot per layer; raise NothingToDraw for a cost-only run."""
    values = column(result.layers, "sqnr_db")
    need(any(value is not None for value in values), "No SQNR: the run had no inputs, or no float comparison.")
    overflows = column(result.layers, "overflow_events")
    finite = {place: value for place, value in enumerate(values) if is_number(value)}
    low, high = min([0.0, *finite.values()]), max([1.0, *finite.values()])
    top = high + 0.08 * (high - low)
    groups = {
        "SQNR": [(place, value) for place, value in finite.items() if not overflows[place]],
        "SQNR, accumulator overflowed": [(place, value) for place, value in finite.items() if overflows[place]],
        "exact: no error at all": [(place, top) for place, value in enumerate(values) if value == math.inf],
        "noise on a zero signal": [(place, low) for place, value in enumerate(values) if value == -math.inf],
    }
    looks = ((BLUE, "o"), (VERMILION, "D"), (GREEN, "^"), (VERMILION, "v"))
    figure, axes = layer_axes([str(name) for name in result.layers["layer"]], height=3.8)
    axes.vlines(list(finite), low, list(finite.values()), color=RULE, linewidth=1.4)
    handles = []
    for (word, points), (colour, marker) in zip(groups.items(), looks, strict=True):
        if points:
            x, y = zip(*points, strict=True)
            style: dict[str, Any] = {
                "linestyle": "none",
                "markersize": 6.5,
                "markeredgecolor": PAPER,
                "markeredgewidth": 0.6,
            }
            handles += axes.plot(x, y, marker=marker, color=colour, label=word, clip_on=False, **style)
    axes.set_ylim(low, top + 0.02 * (high - low))
    axes.set_ylabel("SQNR in dB")
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles))
    return figure
