"""Labels beside points, only where there is room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hwsim.reporting.figures._style import MUTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Box = tuple[float, float, float, float]
CHARACTER, LINE, DISTANCE = 0.62, 1.25, 6.0
"""Width and height of text in font sizes; points between a dot and its label."""


def place_labels(
    axes: Axes, points: Sequence[tuple[float, float, str]], taken: Sequence[tuple[float, float]] = (), size: float = 7.5
) -> int:
    """Write the labels that fit beside their points, the first points first; return how many were written.

    Args:
        axes: with its limits and its place in the figure settled.
        points: ``(x, y, text)`` in data units, the most important first.
        taken: further points that no label may cover.
        size: of the font, in points.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    scale = figure.dpi / 72
    frame = axes.get_window_extent()
    dots = [tuple(axes.transData.transform(point)) for point in (*((x, y) for x, y, _ in points), *taken)]
    busy: list[Box] = [(x - 4 * scale, y - 4 * scale, x + 4 * scale, y + 4 * scale) for x, y in dots]
    written = 0
    for x, y, text in points:
        column, row = axes.transData.transform((x, y))
        width, height = len(text) * CHARACTER * size * scale, LINE * size * scale
        for right, up in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)):
            away = DISTANCE * scale
            left = column + right * away - (width if right < 0 else width / 2 if right == 0 else 0)
            low = row + up * away - (height if up < 0 else 0 if up > 0 else height / 2)
            box = (left, low, left + width, low + height)
            inside = box[0] > frame.x0 and box[2] < frame.x1 and box[1] > frame.y0 and box[3] < frame.y1
            if inside and not any(_overlap(box, other) for other in busy):
                busy.append(box)
                across = {1: "left", 0: "center", -1: "right"}[right]
                upright = {1: "bottom", 0: "center", -1: "top"}[up]
                offset = (right * DISTANCE, up * DISTANCE)
                axes.annotate(
                    text, (x, y), offset, textcoords="offset points", ha=across, va=upright, fontsize=size, color=MUTED
                )
                written += 1
                break
    return written


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
