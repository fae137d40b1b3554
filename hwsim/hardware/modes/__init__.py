"""How a processing element multiplies: one file per mode, imported by name; ``datapath.mac`` names one with its numbers.

A file defines ``Mode``, a frozen dataclass and subclass of ``hwsim.hardware.mac.MacMode``, and ``EXAMPLE``, a text that it
reads. A new file is a new mode: tests and ``hwsim show modes`` find it.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from hwsim.errors import did_you_mean
from hwsim.hardware.mac import MacMode


@cache
def names() -> tuple[str, ...]:
    """Return the modes, sorted: the files of this folder.

    >>> {"fixed", "fusion", "serial"} <= set(names())
    True
    """
    return tuple(sorted(entry.name for entry in iter_modules(__path__)))


def definition(name: str) -> ModuleType:
    """Return the module of a mode."""
    return import_module(f"{__name__}.{name}")


@cache
def mode_of(text: str) -> MacMode:
    """Return the mode that ``text`` means, as ``fusion:8``; raise ValueError with a predicate.

    >>> mode_of("fusion:8").shape(2, 4).k_lanes
    8
    """
    name, *words = text.split(":")
    if name not in names():
        raise ValueError(f"{name!r} is unknown{did_you_mean(name, names())}")
    mode: MacMode = definition(name).Mode.read(words)
    return mode


def number(name: str, word: str, low: int, high: int) -> int:
    """Return the whole number that ``word`` writes; raise ValueError with a predicate unless it is in range."""
    if not (word.isascii() and word.isdigit() and low <= int(word) <= high):
        raise ValueError(f"needs {name} of {low} to {high}, not {word!r}")
    return int(word)
