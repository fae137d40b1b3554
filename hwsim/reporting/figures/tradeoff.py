"""The points of a sweep: accuracy against energy and against latency."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hwsim.reporting.figures._room import place_labels
from hwsim.reporting.figures._style import INK, MUTED, PAPER, WIDTH_INCHES, label, need, styled
from hwsim.reporting.palette import BLUE, GREEN, MARKERS, OLIVE, ORANGE, PURPLE, SKY, SLATE, VERMILION, WINE
from hwsim.reporting.words import is_number
from hwsim.tables import Table
from hwsim.units import PICO

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUBJECT, ORDER = "sweep", 10
TITLE = "Accuracy against energy and latency"
CAPTION = (
    "Every point of the sweep: colour is the width of the weights, shape is the accumulator, the recipe, or both where both "
    "change; no point is both more accurate and cheaper than one on the line."
)
HEIGHT_INCHES, ROW_INCHES = 4.8, 0.18  # of the figure with one row of shapes in its legend, and of each further row
LEGEND_LETTERS, LONGEST, FRONT = 135, 40, "Pareto front"
COLOURS = (VERMILION, ORANGE, GREEN, BLUE, PURPLE, SKY, WINE, OLIVE, SLATE)
PANELS = (("energy_pj", "energy per inference", "J", PICO), ("latency_s", "latency per inference", "s", 1.0))


def front(costs: Sequence[float], gains: Sequence[float]) -> list[int]:
    """Return the points that none beats, by rising cost, one of each that coincide.

    >>> front([1, 2, 3, 2, 2], [0.5, 0.9, 0.8, 0.7, 0.9])
    [0, 1]
    """
    kept = Table({"cost": tuple(costs), "gain": tuple(gains)}).pareto_front(maximize=["gain"], minimize=["cost"])
    first = {(costs[place], gains[place]): place for place in reversed(range(len(costs))) if kept[place]}
    return [first[point] for point in sorted(first)]


def bits_text(value: Any) -> str:
    """Return the width that a format name means, or the name of a plan that mixes them.

    >>> bits_text("uint4"), bits_text(8), bits_text("int8n"), bits_text("mixed-a")
    ('4 bit', '8 bit', '8 bit', 'mixed-a')
    """
    found = re.fullmatch(r"u?(?:int)?(\d+)n?", str(value))
    return f"{found[1]} bit" if found else str(value)


def series_of(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return what each row's shape stands for: its accumulator, its recipe, or both where both change.

    >>> series_of([{"accumulator": "exact", "recipe": "cle"}, {"accumulator": "exact", "recipe": None}])
    ['cle', 'no recipe']
    >>> series_of([{"accumulator": "exact"}])
    ['exact']
    """
    recipes = [row.get("recipe") or "no recipe" for row in rows]
    registers = [str(row["accumulator"]) for row in rows]
    if len(set(recipes)) == 1:
        return registers
    if len(set(registers)) == 1:
        return recipes
    return [f"{recipe}, {register}" for recipe, register in zip(recipes, registers, strict=True)]


def shape_of(index: int) -> dict[str, Any]:
    """Return a marker for each index: the palette's shapes, whole, then with half of each dark.

    >>> shape_of(1)["marker"] == shape_of(11)["marker"], shape_of(1) == shape_of(11)
    (True, False)
    """
    fills = ("full", "left", "top", "right", "bottom")
    fill = fills[index // len(MARKERS) % len(fills)]
    return {"marker": MARKERS[index % len(MARKERS)], "fillstyle": fill, "markerfacecoloralt": INK}


@styled
def draw(table: Table) -> Figure:
    """Draw two panels; rows without accuracy or cost are left out.

    Args:
        table: columns ``accuracy energy_pj latency_s weights activations accumulator`` and perhaps ``recipe``, one row per
            design point.

    Raises:
        NothingToDraw: no row has an accuracy and its costs.
    """
    from matplotlib.figure import Figure

    keys = ("accuracy", "energy_pj", "latency_s")
    rows = [row for row in table.rows() if all(is_number(row[key]) for key in keys)]
    need(rows, "No point of the sweep has an accuracy, an energy and a latency.")
    widths = sorted(
        {bits_text(row["weights"]) for row in rows}, key=lambda text: (not text[0].isdigit(), len(text), text)
    )
    series = series_of(rows)
    shapes = sorted(set(series))
    colour = {text: COLOURS[index % len(COLOURS)] for index, text in enumerate(widths)}
    marker = {text: shape_of(index) for index, text in enumerate(shapes)}
    in_row = _in_row(shapes)
    height = HEIGHT_INCHES + ROW_INCHES * (-(-(len(shapes) + 1) // in_row) - 1)
    share = HEIGHT_INCHES / height  # what is beside further rows of the legend keeps its size
    figure = Figure(figsize=(WIDTH_INCHES, height))
    low = min(row["accuracy"] for row in rows)
    high = max(row["accuracy"] for row in rows)
    margin = max(high - low, 0.01) * 0.08
    for index, (key, word, unit, factor) in enumerate(PANELS):
        axes = figure.add_axes((0.07 + 0.47 * index, 0.115 * share, 0.44, 0.72 * share))
        axes.set_ylim(100 * (low - margin), 100 * (high + margin))
        _panel(axes, rows, [row[key] * factor for row in rows], colour, [marker[text] for text in series])
        _label_axes(axes, word, unit, first=index == 0)
    _legends(figure, colour, marker, in_row, 1 - 0.065 * share)
    return figure


def _panel(
    axes: Axes, rows: list[dict[str, Any]], costs: list[float], colour: dict[str, str], markers: list[dict[str, Any]]
) -> None:
    gains = [100 * row["accuracy"] for row in rows]
    span = max(costs) - min(costs) or max(costs) or 1.0
    axes.set_xlim(min(costs) - 0.05 * span, max(costs) + 0.08 * span)
    best = front(costs, gains)
    x, y = [costs[place] for place in best], [gains[place] for place in best]
    axes.plot([*x, max(costs) + 0.08 * span], [*y, y[-1]], color=INK, linewidth=1.1, drawstyle="steps-post", zorder=2)
    for place, row in enumerate(rows):
        on_front = place in best
        look: dict[str, Any] = {"color": colour[bits_text(row["weights"])], **markers[place]}
        edge: dict[str, Any] = {
            "markeredgecolor": INK if on_front else PAPER,
            "markeredgewidth": 0.9 if on_front else 0.5,
        }
        size: dict[str, Any] = {
            "markersize": 8 if on_front else 6,
            "alpha": 1.0 if on_front else 0.8,
            "zorder": 4 if on_front else 3,
        }
        axes.plot([costs[place]], [gains[place]], linestyle="none", **look, **edge, **size)
    several = len({row.get("recipe") for row in rows}) > 1
    words = [_words(rows[place], several) for place in best]
    others = list(zip(costs, gains, strict=True))
    for start, end, level in zip(x, [*x[1:], max(costs) + 0.08 * span], y, strict=True):
        others += [(start + (end - start) * part / 40, level) for part in range(41)]  # the line itself
    place_labels(axes, [(a, b, label(text, 20)) for a, b, text in zip(x, y, words, strict=True)], taken=others)


def _words(row: dict[str, Any], names_recipe: bool) -> str:
    widths = f"w{_digits(row['weights'])} a{_digits(row['activations'])}"
    return f"{widths} {row['recipe']}" if names_recipe and row["recipe"] else widths


def _digits(value: Any) -> str:
    return bits_text(value).removesuffix(" bit")


def _label_axes(axes: Axes, word: str, unit: str, *, first: bool) -> None:
    from matplotlib.ticker import EngFormatter, FuncFormatter, MaxNLocator

    axes.grid(True)
    axes.xaxis.set_major_formatter(EngFormatter(unit=unit))
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %"))
    axes.set_xlabel(word)
    if first:
        axes.set_ylabel("accuracy")
    else:
        axes.tick_params(labelleft=False)


def _in_row(shapes: Sequence[str]) -> int:
    """Return how many entries of the legend stand side by side, the line of the front among them."""
    fit = int(LEGEND_LETTERS / (max(map(len, (*shapes, FRONT))) + 6))  # a shape and the gaps take six letters
    return min(len(shapes) + 1, max(fit, 1))


def _legends(
    figure: Figure, colour: dict[str, str], marker: dict[str, dict[str, Any]], in_row: int, top: float
) -> None:
    from matplotlib.lines import Line2D

    bare: dict[str, Any] = {"linestyle": "none", "markersize": 7, "markeredgecolor": PAPER}
    widths = [
        Line2D([], [], marker="o", color=hue, label=label(f"weights {text}"), **bare) for text, hue in colour.items()
    ]
    shapes = [
        Line2D([], [], color=MUTED, label=label(text, LONGEST), **shape, **bare) for text, shape in marker.items()
    ]
    line = [Line2D([], [], color=INK, linewidth=1.1, label=FRONT)]
    figure.legend(handles=widths, loc="upper left", bbox_to_anchor=(0.06, 1.0), ncols=len(widths))
    figure.legend(handles=shapes + line, loc="upper left", bbox_to_anchor=(0.06, top), ncols=in_row)
