"""Stacked bars over the layers, for ten layers or two hundred."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from hwsim.reporting.figures._style import PAPER, WIDTH_INCHES, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INCHES_PER_LAYER = 0.15
MOST_INCHES = 24.0
FEW, MANY = 30, 60

LEGEND_GAP_INCHES, LETTER_INCHES = 0.45, 0.072


def layer_axes(names: Sequence[str], height: float = 4.4) -> tuple[Figure, Axes]:
    """Return a figure with one place per layer on x; it grows with the layers, and labels thin out when it cannot."""
    from matplotlib.figure import Figure

    count = max(len(names), 1)
    width = min(max(WIDTH_INCHES, 1.5 + INCHES_PER_LAYER * count), MOST_INCHES)
    step = -(-count // int((MOST_INCHES - 1.5) / INCHES_PER_LAYER))
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    places = range(0, len(names), step)
    texts = [label(names[place], 24) for place in places]
    if count <= FEW:
        axes.set_xticks(places, texts, rotation=40, ha="right", rotation_mode="anchor")
    else:
        axes.set_xticks(places, texts, rotation=90, fontsize=7.5)
    axes.tick_params(axis="x", length=0, pad=3)
    axes.set_xlim(-0.7, count - 0.3)
    axes.grid(axis="y")
    return figure, axes


def stack(
    axes: Axes, parts: Mapping[str, Sequence[float]], colours: Mapping[str, str], words: Mapping[str, str]
) -> None:
    """Draw one bar per layer, the first part at the bottom; one path per part keeps the file small.

    Args:
        axes: from ``layer_axes``.
        parts: heights per layer by part.
        colours: by part.
        words: legend text by part.
    """
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    count = max((len(values) for values in parts.values()), default=0)
    base = np.zeros(count)
    handles = []
    for name, values in parts.items():
        top = base + np.asarray(values, dtype=np.float64)
        drawn = np.flatnonzero(top > base)
        left, right, low, high = drawn - 0.4, drawn + 0.4, base[drawn], top[drawn]
        corners = [(left, low), (left, high), (right, high), (right, low), (left, low)]
        vertices = np.stack([np.stack(corner, axis=-1) for corner in corners], axis=1).reshape(-1, 2)
        codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * len(drawn)
        patch = PathPatch(Path(vertices, codes) if len(drawn) else Path(np.zeros((0, 2))), facecolor=colours[name])
        patch.set(edgecolor=PAPER, linewidth=0.5 if count <= MANY else 0.25, label=words[name])
        axes.add_patch(patch)
        handles.append(patch)
        base = top
    axes.set_ylim(0, base.max(initial=0) * 1.04 or 1)
    figure = axes.get_figure(root=True)
    assert figure is not None
    longest = max((len(words[name]) for name in parts), default=1)
    columns = max(2, min(len(handles), int(figure.get_figwidth() / (LEGEND_GAP_INCHES + LETTER_INCHES * longest))))
    figure.legend(handles=handles, loc="outside upper left", ncols=columns)
