"""The range of every channel of one tensor, beside what its grid holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hwsim.reporting.figures._style import WIDTH_INCHES, label, need, styled
from hwsim.reporting.palette import BLUE, VERMILION

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hwsim.quantization.diagnose import ChannelRanges

SUBJECT, ORDER = "diagnosis", 10
TITLE = "Ranges per channel of the worst tensor"
CAPTION = (
    "Smallest to largest value of each channel in the float network; between the lines lies what the grid holds. A grid "
    "that is wide for few channels has large steps for all of them."
)


@styled
def draw(ranges: ChannelRanges) -> Figure:
    """Draw a bar per channel from its smallest to its largest value; raise NothingToDraw for a tensor without channels."""
    from matplotlib.figure import Figure

    count = ranges.low.size
    need(count, "The tensor has no channels.")
    figure = Figure(figsize=(WIDTH_INCHES, 3.8), layout="constrained")
    axes = figure.add_subplot()
    places = np.arange(count)
    axes.bar(places, ranges.high - ranges.low, bottom=ranges.low, width=0.8, color=BLUE, label="values of the channel")
    if ranges.grid_low is not None and ranges.grid_high is not None:
        edges = np.arange(count + 1) - 0.5
        for ends, text in ((ranges.grid_low, f"ends of the {ranges.format} grid"), (ranges.grid_high, None)):
            axes.stairs(ends, edges, baseline=None, color=VERMILION, linewidth=1.1, label=text)
    axes.set_xlim(-0.7, count - 0.3)
    axes.grid(axis="y")
    axes.set_xlabel("channel")
    axes.set_ylabel(f"{ranges.kind} of {label(ranges.layer)}")
    figure.legend(loc="outside upper left", ncols=2)
    return figure
