"""One screen about a Result."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Literal

from hwsim.reporting.columns import GAP, fitting, hidden_line, screen_columns, share_columns, top_rows, width_of
from hwsim.reporting.overview import facts
from hwsim.reporting.palette import colours
from hwsim.reporting.query import components
from hwsim.reporting.words import energy, percent, short, visible
from hwsim.simulation.result import Result

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as Grid
    from rich.text import Text

MOST_LAYERS = 45
TOP_LAYERS = 40
PIPED_WIDTH = 110
NARROW_NAME, WIDE_NAME = 18, 28


def print_result(result: Result, console: Console | None = None) -> None:
    """Print the layers, their total, the headline numbers and the notes.

    Args:
        result: what ``hwsim.simulate`` returned.
        console: where to; stdout by default. Columns that do not fit its width are left out, the least telling first.
    """
    console = console or _console()
    say = _Speaker(console)
    say(_layers(result, console, say))
    shown = top_rows(result, _limit(result))
    hidden = hidden_line(result, shown)
    if hidden:
        say(say.text(hidden, style="dim"))
    say("")
    say(_facts(result, say))
    split = _energy_split(result, console, say)
    if split is not None:
        say(split)
    for note in result.notes:
        say(say.text("note  ", style="yellow") + say.text(visible(note)))


class _Speaker:
    """Prints what a console can write: a terminal that is not Unicode gets plain letters instead of an error."""

    def __init__(self, console: Console):
        self.console = console

    def __call__(self, thing: object) -> None:
        self.console.print(thing, highlight=False, markup=False, emoji=False)

    def plain(self, text: str) -> str:
        try:
            text.encode(self.console.encoding)
        except (UnicodeError, LookupError):
            for fancy, simple in (("µ", "u"), ("–", "-"), ("…", "~"), ("²", "2")):
                text = text.replace(fancy, simple)
            return text.encode("ascii", "replace").decode()
        return text

    def text(self, text: str, style: str = "") -> Text:
        """Return text of one style; what is appended later has its own."""
        from rich.text import Text

        return Text().append(self.plain(text), style=style)


def _console() -> Console:
    from rich.console import Console

    piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return Console(width=PIPED_WIDTH if piped else None)


def _limit(result: Result) -> int:
    return MOST_LAYERS if len(result.layers) <= MOST_LAYERS else TOP_LAYERS


def _layers(result: Result, console: Console, say: _Speaker) -> Grid:
    from rich import box
    from rich.table import Table as Grid

    rows = top_rows(result, _limit(result))
    names = [visible(result.layers["layer"][row]) for row in rows]
    longest = max((len(name) for name in (*names, "total")), default=0)
    columns = fitting(screen_columns(result), console.width - min(longest, NARROW_NAME))
    wide_name = min(longest, WIDE_NAME)
    columns += fitting(share_columns(result), console.width - wide_name - width_of(columns))
    name_width = max(8, min(wide_name, console.width - width_of(columns)))
    grid = Grid(box=box.SIMPLE, show_footer=True, pad_edge=False, padding=(0, GAP - 1, 0, 0), show_edge=False)
    total = say.text("total", style="bold")
    grid.add_column(say.text("layer"), total, no_wrap=True, overflow="crop", min_width=name_width)
    for item in columns:
        foot = say.text(item.foot, style="bold")
        side: Literal["left", "right"] = "right" if item.right else "left"
        grid.add_column(say.text(item.title), foot, no_wrap=True, justify=side, min_width=item.width)
    for row, name in zip(rows, names, strict=True):
        grid.add_row(say.text(short(name, name_width)), *(say.text(item.cells[row]) for item in columns))
    return grid


def _facts(result: Result, say: _Speaker) -> Grid:
    """Return the headlines in as many label-value pairs a line as fit."""
    from rich.table import Table as Grid

    cells = [(fact.label, fact.value, fact.detail) for fact in facts(result)]
    depth = -(-len(cells) // 2)
    halves = [
        [max((len(cell[i]) for cell in half), default=0) for i in range(3)] for half in (cells[:depth], cells[depth:])
    ]
    if say.console.width < sum(sum(half) for half in halves) + 5 * GAP:
        depth = len(cells)
    grid = Grid.grid(padding=(0, GAP, 0, 0), pad_edge=False)
    for row in range(depth):
        line: list[Text] = []
        for label, value, detail in cells[row :: max(depth, 1)]:
            line += [say.text(label, style="dim"), say.text(value, style="bold"), say.text(detail, style="dim")]
        grid.add_row(*line)
    return grid


def _energy_split(result: Result, console: Console, say: _Speaker) -> Text | None:
    """Return the energy by component: a coloured bar where there is colour, and the shares in words."""
    parts = components(result)
    whole = sum(value for _, value in parts)
    if whole <= 0:
        return None
    colour = colours(name for name, _ in parts)
    line = say.text("energy by component  ", style="dim")
    coloured = console.color_system is not None and say.plain("█") == "█"
    if coloured:
        line.append("\n")
        ends = [round(sum(v for _, v in parts[: i + 1]) / whole * min(console.width, 100)) for i in range(len(parts))]
        for (name, _), start, end in zip(parts, [0, *ends], ends, strict=False):
            line.append("█" * (end - start), style=colour[name])
        line.append("\n")
    for index, (name, value) in enumerate(parts):
        if coloured:
            line.append("■ ", style=colour[name])
        line.append(say.plain(f"{visible(name)} {percent(value / whole)} % ({energy(value)})"))
        line.append(", " if index < len(parts) - 1 else "")
    return line
