"""One look for every figure, whatever the user's matplotlib settings are; no pyplot, hence no global state."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ParamSpec

from hwsim.errors import HwsimError
from hwsim.reporting.words import short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Arguments = ParamSpec("Arguments")

INK, MUTED, RULE, PAPER = "#1b1f24", "#5a6472", "#d5dae1", "#ffffff"
"""Text and axes, secondary text, grid, background: the page replaces these four by its own, light or dark."""

WIDTH_INCHES = 10.5

SETTINGS: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib: the same layout everywhere
    "font.size": 9.0,
    "axes.labelsize": 9.0,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.unicode_minus": True,
    "figure.facecolor": PAPER,
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "legend.handlelength": 1.0,
    "legend.handleheight": 1.0,
    "legend.columnspacing": 1.4,
    "legend.labelcolor": INK,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.5,
    "svg.fonttype": "none",  # text stays text: small files, and the page's own font and colour
}


class NothingToDraw(HwsimError):
    """A figure has no data in this result; the message says what would give it some."""


@contextmanager
def style(**more: Any) -> Iterator[None]:
    """Apply the look to everything drawn inside.

    Glyphs that DejaVu lacks are no reason to warn: the page shows them in the reader's own font.
    """
    import matplotlib

    settings: Any = SETTINGS | more
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(settings)
        yield


def styled(draw: Callable[Arguments, Figure]) -> Callable[Arguments, Figure]:
    """Make a ``draw`` function apply the look."""

    @functools.wraps(draw)
    def inside(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Figure:
        with style():
            return draw(*args, **kwargs)

    return inside


def label(name: object, width: int = 28) -> str:
    r"""Return a name as text that matplotlib draws as it is: short, no mathematics, never hidden from a legend.

    >>> label("$x$")
    '\\$x\\$'
    """
    text = short(name, width).replace("$", r"\$")
    return f"\N{WORD JOINER}{text}" if text.startswith("_") else text


def need(condition: object, message: str) -> None:
    """Raise NothingToDraw with ``message`` unless ``condition`` holds."""
    if not condition:
        raise NothingToDraw(message)
