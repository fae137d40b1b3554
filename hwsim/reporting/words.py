"""Numbers and names as a reader sees them; the same on the terminal, in figures and in the page."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any, TypeGuard

from hwsim.units import PICO, human

NONE = "–"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def is_number(value: Any) -> TypeGuard[float]:
    """Return whether ``value`` is a finite number, numpy's included."""
    return isinstance(value, Real) and math.isfinite(value)


def quantity(value: Any, unit: str = "") -> str:
    """Write a number with an SI prefix; integers below a thousand stay integers.

    >>> quantity(5), quantity(5, "B"), quantity(1234567, "B"), quantity(0.00042, "s"), quantity(None)
    ('5', '5 B', '1.23 MB', '420 µs', '–')
    """
    if value is None:
        return NONE
    if not is_number(value):
        return str(value)
    if abs(value) < 1000 and value == int(value):
        return f"{int(value)} {unit}".rstrip()
    return human(value, unit)


def energy(picojoule: Any) -> str:
    """Write an energy given in pJ.

    >>> energy(1.5e9), energy(0), energy(None)
    ('1.50 mJ', '0 J', '–')
    """
    return human(picojoule * PICO, "J") if is_number(picojoule) else quantity(picojoule, "J")


def percent(fraction: Any, digits: int = 1) -> str:
    """Write a fraction in percent, without the sign.

    >>> percent(0.8736), percent(None)
    ('87.4', '–')
    """
    return f"{fraction * 100:.{digits}f}" if is_number(fraction) else quantity(fraction)


def decibel(value: Any) -> str:
    """Write a ratio in dB; without any error it is exact.

    >>> decibel(34.21), decibel(float("inf")), decibel(float("-inf")), decibel(None)
    ('34.2', 'exact', '-inf', '–')
    """
    if value == math.inf:
        return "exact"
    return f"{value:.1f}" if is_number(value) else quantity(value)


def visible(text: Any) -> str:
    r"""Return ``text`` with every control character replaced: a layer name must not steer a terminal or break a row.

    >>> visible("conv\n\x1b[2J")
    'conv��[2J'
    """
    return "".join(c if c.isprintable() else REPLACEMENT for c in str(text))


def short(text: Any, width: int) -> str:
    """Return ``text`` in at most ``width`` characters, cut before its end, which tells most layer names apart.

    >>> short("/layer1/layer1.0/conv1/Conv", 20)
    '/layer1…0/conv1/Conv'
    """
    plain = visible(text)
    if len(plain) <= width:
        return plain
    tail = max(width - 1, 0) * 2 // 3
    return plain[: max(width - 1, 0) - tail] + "…" + (plain[-tail:] if tail else "")
