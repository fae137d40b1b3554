"""Colours of components and operands: the same thing has the same colour on the terminal, in figures and tables.

Eight of them are the colour-blind safe palette of Okabe and Ito (2008, "Color Universal Design"), without its black and
its yellow, which vanish on a dark or a light page; the rest come from Paul Tol's qualitative schemes (2021, SRON/EPS/TN/09-002).
"""

from __future__ import annotations

from collections.abc import Iterable

BLUE, SKY, GREEN, ORANGE, VERMILION, PURPLE = "#0072b2", "#56b4e9", "#009e73", "#e69f00", "#d55e00", "#cc79a7"
SAND, WINE, OLIVE, TEAL, VIOLET, GREY, SLATE = (
    "#c9b458",
    "#99335f",
    "#8a8a2b",
    "#44aa99",
    "#8467b8",
    "#9a9a9a",
    "#6b7a8f",
)

FAMILIES = (
    ("dram", VERMILION),
    ("ifmap", SKY),
    ("weight", GREEN),
    ("ofmap", PURPLE),
    ("psum", ORANGE),
    ("accumulator", ORANGE),
    ("requant", WINE),
    ("vector", SAND),
    ("array", BLUE),
    ("mac", BLUE),
    ("multipl", BLUE),
    ("leak", GREY),
    ("static", GREY),
    ("clock", SLATE),
)
"""A part of a name and the colour it asks for; the first match that is still free wins."""

SPARE = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, TEAL, VIOLET, OLIVE, SAND, WINE, SLATE, GREY)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p")


def colours(names: Iterable[object]) -> dict[str, str]:
    """Return a colour for every name: its family's where there is one, else the next one free.

    >>> colours(["dram", "weights", "array", "mystery"])
    {'dram': '#d55e00', 'weights': '#009e73', 'array': '#0072b2', 'mystery': '#e69f00'}
    """
    listed = list(dict.fromkeys(str(name) for name in names))
    chosen: dict[str, str] = {}
    for name in listed:
        for part, colour in FAMILIES:
            if part in name.lower() and colour not in chosen.values():
                chosen[name] = colour
                break
    for index, name in enumerate(name for name in listed if name not in chosen):
        free = [colour for colour in SPARE if colour not in chosen.values()]
        chosen[name] = free[0] if free else SPARE[index % len(SPARE)]
    return {name: chosen[name] for name in listed}
