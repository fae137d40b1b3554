"""A figure as SVG text: the same bytes every time, ready to stand inside a page."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from hwsim.reporting.figures._style import INK, MUTED, PAPER, RULE, WIDTH_INCHES, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PIXELS_PER_INCH = 96
SHRINK = 0.72
"""How small a figure of ordinary width may become on a narrow screen before it scrolls; a wide one scrolls at once."""

NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
PAGE_COLOURS = {INK: "var(--ink)", MUTED: "var(--muted)", RULE: "var(--rule)", PAPER: "var(--paper)"}


def to_svg(figure: Figure, name: str) -> str:
    """Return an SVG document without a date; ``name`` makes its ids its own."""
    text = io.StringIO()
    with style(**{"svg.hashsalt": name}):
        figure.savefig(text, format="svg", metadata=NO_METADATA)
    return text.getvalue()


def to_inline_svg(figure: Figure, name: str, title: str) -> str:
    """Return an ``<svg>`` element for a page: its colours follow the page's light or dark, its ids start with ``name``.

    Args:
        figure: what a figure file drew.
        name: a word that no other figure of the page has.
        title: what a screen reader says.
    """
    from markupsafe import escape

    document = to_svg(figure, name)
    body = document[document.index("<svg") :]
    body = re.sub(r"<style type=\"text/css\">.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r"<[^>]+>", lambda tag: _adopt(tag[0], name), body)
    width = round(figure.get_figwidth() * PIXELS_PER_INCH)
    least = round(width * (SHRINK if figure.get_figwidth() <= WIDTH_INCHES else 1))
    head, rest = body.split(">", 1)
    box = re.search(r'viewBox="[^"]*"', head)
    size = f"--width: {width}px; --least: {least}px"
    frame = f'<svg {box[0] if box else ""} role="img" style="{size}">'
    return f"{frame}<title>{escape(title)}</title>{rest.strip()}"


def _adopt(tag: str, name: str) -> str:
    """Return a tag with the page's colours and with ids of its own; text between tags, such as a layer's name, stays."""
    tag = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", tag).replace("xlink:href", "href")
    for colour, variable in PAGE_COLOURS.items():
        tag = tag.replace(colour, variable)
    return tag
