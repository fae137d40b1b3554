"""Roofline: what the machine could do at a layer's operations per DRAM byte, and what the layer does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hwsim.reporting.figures._room import place_labels
from hwsim.reporting.figures._style import INK, MUTED, PAPER, WIDTH_INCHES, label, need, styled
from hwsim.reporting.palette import BLUE, GREEN, VERMILION
from hwsim.reporting.roof import Point, Roof, points_of, roof_of
from hwsim.reporting.words import quantity, short
from hwsim.simulation.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hwsim.hardware import Accelerator

SUBJECT, ORDER = "result", 40
TITLE = "Roofline"
CAPTION = (
    "Each dot is a layer: operations per byte of DRAM traffic against operations per second, two operations per "
    "multiply-accumulate; the distance below the line is time lost to stalls, to filling, and to unused rows and columns."
)
HEIGHT_INCHES = 5.2


@styled
def draw(result: Result, accelerator: Accelerator | None = None) -> Figure:
    """Draw the roof and the layers; raise NothingToDraw without a machine or without products."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator

    if accelerator is None:
        need(False, "No machine was given to the report, hence no roof.")
        raise AssertionError
    points = points_of(result, accelerator)
    need(points, "No layer multiplies.")
    roof = roof_of(accelerator)
    figure = Figure(figsize=(WIDTH_INCHES, HEIGHT_INCHES))
    axes = figure.add_axes((0.085, 0.11, 0.895, 0.8))  # settled now, because labels need to know their place
    inside = [point.intensity for point in points if np.isfinite(point.intensity)]
    left, right = min([*inside, roof.ridge]) / 2.5, max([*inside, roof.ridge]) * 4
    low, high = min([point.speed for point in points] + [roof.peak]) / 2.5, roof.peak * 2.2
    axes.set(xscale="log", yscale="log", xlim=(left, right), ylim=(low, high))
    axes.grid(which="major")
    axes.minorticks_off()
    for axis, decades in ((axes.xaxis, np.log10(right / left)), (axes.yaxis, np.log10(high / low))):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 3 else (1,), numticks=12))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_major_formatter(EngFormatter(unit="OPS"))
    axes.set(xlabel="operations per byte of DRAM traffic", ylabel="operations per second")
    _draw_roof(axes, roof, left, right, low)
    _draw_points(axes, roof, points, right)
    return figure


def _draw_roof(axes: Axes, roof: Roof, left: float, right: float, low: float) -> None:
    start = max(left, low / roof.bytes_per_second)
    axes.plot(
        [start, roof.ridge, right], [start * roof.bytes_per_second, roof.peak, roof.peak], color=INK, linewidth=1.6
    )
    axes.plot([roof.ridge] * 2, [low, roof.peak], color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
    peak = f"peak {quantity(roof.peak, 'OPS')}"
    axes.annotate(peak, (right, roof.peak), (-4, 5), textcoords="offset points", ha="right", va="bottom")
    ridge = f"ridge {roof.ridge:.3g} ops/byte"
    axes.annotate(ridge, (roof.ridge, low), (5, 6), textcoords="offset points", color=MUTED, fontsize=8)
    middle = (start * roof.ridge) ** 0.5
    angle = float(np.degrees(np.arctan(_slope(axes))))
    text = f"DRAM {quantity(roof.bytes_per_second, 'B/s')}"
    at = (middle, middle * roof.bytes_per_second)
    axes.annotate(text, at, (-5, 5), textcoords="offset points", ha="center", va="bottom", rotation=angle)


def _slope(axes: Axes) -> float:
    """Return rise over run, on the page, of a line that gains a decade per decade."""
    (x0, y0), (x1, y1) = axes.transData.transform([(1, 1), (10, 10)])
    return float((y1 - y0) / (x1 - x0))


def _draw_points(axes: Axes, roof: Roof, points: list[Point], right: float) -> None:
    edge = right / 1.25
    groups = {
        "limited by DRAM": [point for point in points if point.intensity < roof.ridge],
        "limited by the array": [point for point in points if roof.ridge <= point.intensity < float("inf")],
        "no DRAM traffic": [point for point in points if point.intensity == float("inf")],
    }
    for (word, members), (colour, marker) in zip(
        groups.items(), ((VERMILION, "s"), (BLUE, "o"), (GREEN, ">")), strict=True
    ):
        if members:
            x = [min(point.intensity, edge) for point in members]
            y = [point.speed for point in members]
            axes.plot(
                x,
                y,
                marker,
                color=colour,
                markersize=6.5,
                markeredgecolor=PAPER,
                markeredgewidth=0.6,
                label=word,
                zorder=3,
            )
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.legend(loc="upper left", bbox_to_anchor=(0.08, 0.99), ncols=3)
    merged: dict[tuple[str, str], list[Point]] = {}
    for point in points:
        merged.setdefault((f"{point.intensity:.2g}", f"{point.speed:.2g}"), []).append(point)
    labels = [
        (
            min(same[0].intensity, edge),
            same[0].speed,
            label(short(same[0].name, 22) + (f" +{len(same) - 1}" if same[1:] else "")),
        )
        for same in merged.values()
    ]
    line = np.geomspace(labels[0][0] / 1e4, labels[0][0] * 1e4, 400)
    place_labels(axes, labels, taken=[(x, min(roof.peak, x * roof.bytes_per_second)) for x in line])
