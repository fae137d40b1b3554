"""Grids of powers: codes are spread evenly over ``|x|^exponent``, so that small numbers lie closer together.

PowerQuant and NUPES (Yvinec et al., arXiv 2308.05600): ``q = round(Q sign(x) |x|^a)``, back by ``sign(q) (|q| / Q)^(1/a)``
with ``Q = 2^(bits-1) - 1``. Products of such codes are products of powers, but sums are not: a code is decoded to an integer
before it is multiplied. The values of the grid *are* these integers:

* exponent 1 decodes to ``q`` itself: the symmetric narrow integers;
* exponent 1/2 decodes by squaring: ``q |q|``, exact, ``2 (bits - 1)`` bits and a sign;
* any other exponent reads a table: the power rounded to ``decode_bits``, ``round_half_even((2^(d-1) - 1) (|q| / Q)^(1/a))``.
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import inf, nextafter

from hwsim.errors import HwsimError
from hwsim.numerics.formats.codebook import Codebook

MOST_BITS = 16
LARGEST_EXPONENT = 8.0
DECODE_BITS = 8
NEAREST = ":nearest"
_TEXT = re.compile(r"power([2-9]|1[0-6]):([0-9]+(?:\.[0-9]+)?)(?:@([1-9][0-9]?))?(:nearest)?")


def power_exponent(bits: int, exponent: float, decode_bits: int | None = None, *, nearest: bool = False) -> Codebook:
    """Return the grid ``power<bits>:<exponent>[@<decode_bits>][:nearest]`` of integers.

    Args:
        bits: of a code, 2 to 16.
        exponent: above 0 up to 8, taken to six digits.
        decode_bits: width of the table's integers; None for exponents 1 and 1/2, which need no table, else 8.
        nearest: round to the nearest value instead of among the powers (halves of the power to the even code).

    Raises:
        HwsimError: numbers out of range, or two codes that decode to the same integer.

    >>> power_exponent(3, 0.5).values == (-9, -4, -1, 0, 1, 4, 9)
    True
    >>> str(power_exponent(4, 0.7)), power_exponent(4, 0.7).operand_range
    ('power4:0.7@8', (-127, 127))
    """
    exponent = float(f"{exponent:g}")
    if not (2 <= bits <= MOST_BITS and 0 < exponent <= LARGEST_EXPONENT):
        raise HwsimError(
            f"number format: a power-exponent grid has 2 to 16 bits and an exponent above 0 up to 8, not {bits} and {exponent:g}"
        )
    if decode_bits is None and exponent not in (0.5, 1.0):
        decode_bits = DECODE_BITS
    if decode_bits is not None and not bits <= decode_bits <= 2 * MOST_BITS:
        raise HwsimError(
            f"number format: a power-exponent grid of {bits} bits decodes to {bits} to 32 bits, not {decode_bits}"
        )
    most = (1 << (bits - 1)) - 1
    name = f"power{bits}:{exponent:g}" + ("" if decode_bits is None else f"@{decode_bits}")
    sizes = [_size(q, most, exponent, decode_bits) for q in range(most + 1)]
    twice = next((q for q in range(most) if round(sizes[q]) == round(sizes[q + 1])), None)
    if twice is not None:
        raise HwsimError(
            f"number format: codes {twice} and {twice + 1} of {name} both decode to {round(sizes[twice])}; "
            f"decode to more bits than {decode_bits}, as power{bits}:{exponent:g}@{2 * bits}, or take a larger exponent"
        )
    values = [round(size) for size in sizes]
    edges = None if nearest else _edges(most, exponent, decode_bits)
    return Codebook(
        name=name + (NEAREST if nearest else ""),
        values=tuple(Fraction(value) for value in (*(-value for value in values[:0:-1]), *values)),
        thresholds=edges,
    )


def parse_power(text: str) -> Codebook | None:
    """Return the grid of powers that ``text`` names; None where it names none."""
    match = _TEXT.fullmatch(text)
    if not match:
        return None
    decode_bits = int(match[3]) if match[3] else None
    return power_exponent(int(match[1]), float(match[2]), decode_bits, nearest=bool(match[4]))


def exponent_of(book: Codebook) -> float:
    """Return the exponent of a grid that ``power_exponent`` made; raise HwsimError for another table.

    >>> exponent_of(power_exponent(4, 0.7))
    0.7
    """
    match = _TEXT.fullmatch(book.name)
    if not match:
        raise HwsimError(f"number format: {book.name} is no grid of powers, and has no exponent; power4:0.7 has one")
    return float(match[2])


def _size(position: float, most: int, exponent: float, decode_bits: int | None) -> float:
    """Return what ``position`` (a code, or halfway between two) stands for, not yet rounded; positions are not negative."""
    if decode_bits is None:
        return float(position) if exponent == 1.0 else float(position) ** 2
    return float(((1 << (decode_bits - 1)) - 1) * (position / most) ** (1 / exponent))


def _edges(most: int, exponent: float, decode_bits: int | None) -> tuple[float, ...]:
    """Return for each code but the first the smallest number that gets it: halves of the power go to the even code."""
    upwards = [_size(q + 0.5, most, exponent, decode_bits) for q in range(most)]
    positive = [edge if q % 2 else nextafter(edge, inf) for q, edge in enumerate(upwards)]  # between q and q + 1
    negative = [-edge if q % 2 == 0 else nextafter(-edge, inf) for q, edge in enumerate(upwards)]  # -q - 1 and -q
    return (*negative[::-1], *positive)
