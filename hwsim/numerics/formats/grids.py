"""Named tables: bipolar and ternary numbers, powers of two, and the power-exponent grid."""

from __future__ import annotations

import re
from fractions import Fraction

from hwsim.errors import HwsimError
from hwsim.numerics.formats.codebook import Codebook
from hwsim.numerics.formats.power import parse_power

_POWERS = re.compile(r"pot([2-9])")

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


def named(text: str) -> Codebook | None:
    """Return the table that ``text`` names; None where it names none."""
    for book in (BIPOLAR, TERNARY):
        if text == book.name:
            return book
    if match := _POWERS.fullmatch(text):
        return powers_of_two(int(match[1]))
    return parse_power(text)
