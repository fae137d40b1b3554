"""Named tables: bipolar and ternary numbers, powers of two, and the power-exponent grid."""

from __future__ import annotations

import re
from fractions import Fraction

from hwsim.errors import HwsimError
from hwsim.numerics.formats.codebook import Codebook

_POWERS = re.compile(r"pot([2-9])")
_EXPONENT = re.compile(r"power([2-9]|1[0-6]):([0-9.]+)")

BIPOLAR = Codebook(name="bipolar", values=(Fraction(-1), Fraction(1)), thresholds=(0.0,))
TERNARY = Codebook(name="ternary", values=(Fraction(0), Fraction(1), Fraction(-1)))


def powers_of_two(bits: int) -> Codebook:
    """Return the grid ``pot<bits>``: 0 and ``+-2^-e`` for ``e = 0 .. 2^(bits-1) - 2`` (Zhou et al., INQ, ICLR 2017).

    A product with such a weight is a shift. Codes are sign and magnitude: the top bit is the sign, magnitude 0 is zero
    and magnitude ``c`` is ``2^(c - largest c)``; the code of negative zero is not used.

    >>> [str(value) for value in powers_of_two(3).values]
    ['0', '1/4', '1/2', '1', '-1/4', '-1/2', '-1']
    """
    if not 2 <= bits <= 9:
        raise HwsimError(f"number format: a grid of powers of two has 2 to 9 bits, not {bits}")
    most = (1 << (bits - 1)) - 1
    sizes = tuple(Fraction(2) ** (c - most) for c in range(1, most + 1))
    return Codebook(name=f"pot{bits}", values=(Fraction(0), *sizes, *(-size for size in sizes)))


def power_exponent(bits: int, exponent: float) -> Codebook:
    """Return the grid ``power<bits>:<exponent>``: ``sign(q) (|q| / Q)^(1/exponent)``, ``|q| <= Q = 2^(bits-1) - 1``.

    PowerQuant and NUPES (Yvinec et al., arXiv 2308.05600): ``q = round(Q sign(x) |x|^exponent)``, so a number is rounded
    among the powers and not to the nearest value; halves go up. Values are float64 roundings of the powers.

    >>> power_exponent(3, 0.5).decode(power_exponent(3, 0.5).encode_real([-1.0, 0.03, 0.5])).round(3).tolist()
    [-1.0, 0.111, 0.444]
    """
    if not (2 <= bits <= 16 and 0 < exponent <= 8):
        raise HwsimError(
            f"number format: a power-exponent grid has 2 to 16 bits and an exponent above 0 up to 8, not {bits} and {exponent}"
        )
    most = (1 << (bits - 1)) - 1

    def value(position: float) -> float:
        size = (abs(position) / most) ** (1 / exponent)
        return size if position >= 0 else -size

    values = tuple(Fraction(value(q)) for q in range(-most, most + 1))
    thresholds = tuple(value(q + 0.5) for q in range(-most, most))
    return Codebook(name=f"power{bits}:{exponent:g}", values=values, thresholds=thresholds)


def named(text: str) -> Codebook | None:
    """Return the table that ``text`` names; None where it names none."""
    for book in (BIPOLAR, TERNARY):
        if text == book.name:
            return book
    if match := _POWERS.fullmatch(text):
        return powers_of_two(int(match[1]))
    if match := _EXPONENT.fullmatch(text):
        return power_exponent(int(match[1]), float(match[2]))
    return None
