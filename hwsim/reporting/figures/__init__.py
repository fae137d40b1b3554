"""Figures: one file each, imported by name; a new file is a new figure of the page.

A file states ``SUBJECT`` (``result``, ``sweep`` or ``diagnosis``), ``ORDER`` (its place in the page), ``TITLE``, ``CAPTION`` (one sentence)
and ``draw``: ``draw(result, accelerator)`` for a result, ``draw(table)`` for a sweep, ``draw(ranges)`` for a diagnosis. ``draw`` returns a
``matplotlib.figure.Figure`` and raises ``NothingToDraw`` with a sentence that says what is missing.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from hwsim.errors import HwsimError, did_you_mean
from hwsim.reporting.figures._style import NothingToDraw
from hwsim.reporting.figures._svg import to_inline_svg, to_svg

__all__ = ["NothingToDraw", "figure", "names", "to_inline_svg", "to_svg"]


def names(subject: str | None = None) -> tuple[str, ...]:
    """Return the figures of a subject (of every subject by default) in the order of the page.

    >>> names("sweep")
    ('tradeoff',)
    """
    found = [entry.name for entry in iter_modules(__path__) if not entry.name.startswith("_")]
    files = {name: import_module(f"{__name__}.{name}") for name in found}
    wanted = [name for name in found if subject in (None, files[name].SUBJECT)]
    return tuple(sorted(wanted, key=lambda name: (files[name].ORDER, name)))


def figure(name: str) -> ModuleType:
    """Return the module that draws ``name``; raise HwsimError for a name without a file."""
    if name.startswith("_") or name not in names():
        raise HwsimError(f"figure: {name!r} is unknown{did_you_mean(name, names())}")
    return import_module(f"{__name__}.{name}")
