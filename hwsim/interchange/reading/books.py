"""Which format a table of values is: small floating point, a named grid, a grid of powers, or a codebook of its own.

A table says which values there are, not how a number was rounded to them: a grid of powers comes back with the rounding that
its plain name means, a table that no name describes with the nearest value.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, inf, log

import numpy as np

from hwsim.errors import HwsimError
from hwsim.numerics.formats import (
    BIPOLAR,
    TERNARY,
    Codebook,
    FloatFormat,
    Format,
    LearnedTable,
    Specials,
    power_exponent,
    powers_of_two,
)

FLOAT_BITS = range(3, 9)
POT_BITS = range(2, 9)  # float32 holds no smaller powers
POWER_BITS = range(2, 9)
HUNDREDTHS = (1, 800)  # exponents of a grid of powers that are looked for
WIDEST_DECODE = 16


def format_of_table(table: np.ndarray) -> Format | None:
    """Return the format whose code ``c`` stands for ``table[c]``; None where numbers are not finite or occur twice.

    Args:
        table: float32 ``[codes]``.

    >>> [str(format_of_table(np.array(table, np.float32))) for table in ([0, 1, -1], [-9, -4, -1, 0, 1, 4, 9], [1, 5, 7])]
    ['ternary', 'power3:0.5', 'codebook2@4']
    """
    number = _floating(table)
    if number is not None:
        return number
    if table.size < 2 or not np.isfinite(table).all() or np.unique(table).size != table.size:
        return None
    values = tuple(Fraction(float(value)) for value in table)
    bits = (len(values) - 1).bit_length()
    named = (BIPOLAR, TERNARY, *((powers_of_two(bits),) if bits in POT_BITS else ()))
    return next((book for book in named if book.values == values), None) or _powers(values, bits) or _own(values, bits)


def _floating(table: np.ndarray) -> FloatFormat | None:
    """Return the floating-point format, which has two zeros, whose codes in their order are the table."""
    bits = (table.size - 1).bit_length()
    if bits not in FLOAT_BITS or table.size != 1 << bits or np.count_nonzero(table == 0) != 2:
        return None
    codes = np.arange(table.size)
    for exponent_bits in range(1, bits):
        for specials in Specials:
            try:
                number = FloatFormat(
                    exponent_bits=exponent_bits, mantissa_bits=bits - 1 - exponent_bits, specials=specials
                )
                values = number.decode(codes).astype(np.float32)
            except HwsimError:  # specials that leave no number
                continue
            if np.array_equal(values, table, equal_nan=True) and np.array_equal(np.signbit(values), np.signbit(table)):
                return number
    return None


def _powers(values: tuple[Fraction, ...], bits: int) -> Codebook | None:
    """Return the grid of powers with these integers and the exponent that fits them."""
    most = (1 << (bits - 1)) - 1
    if bits not in POWER_BITS or len(values) != 2 * most + 1 or any(value.denominator != 1 for value in values):
        return None
    largest = int(values[-1])
    decode_bits = largest.bit_length() + 1
    candidates: list[tuple[float, int | None]] = [(1.0, None), (0.5, None)]
    if largest == (1 << (decode_bits - 1)) - 1 and bits <= decode_bits <= WIDEST_DECODE:
        candidates += [(each / 100, decode_bits) for each in _exponents(values[most:], most)]
    for exponent, width in candidates:
        book = power_exponent(bits, exponent, width)
        if book.values == values:
            return book
    return None


def _exponents(sizes: tuple[Fraction, ...], most: int) -> range:
    """Return the hundredths ``100 a`` with ``largest (q / most)^(1 / a)`` within a half of ``sizes[q]`` for every q."""
    low, high = 0.0, inf
    for q in range(1, most):
        below, above = (float((sizes[q] + half) / sizes[-1]) for half in (Fraction(-1, 2), Fraction(1, 2)))
        if not 0 < below <= above < 1:
            return range(0)
        low, high = max(low, log(q / most) / log(below)), min(high, log(q / most) / log(above))
    least, last = HUNDREDTHS
    return range(max(ceil(100 * low), least), min(floor(100 * min(high, last)), last) + 1 if most > 1 else 0)


def _own(values: tuple[Fraction, ...], bits: int) -> Codebook:
    """Return the table under the text of a learned one, ``codebook4@8``, where it holds integers of few bits."""
    decode_bits = max(bits, max(abs(value.numerator) for value in values).bit_length() + 1)
    is_learned = all(value.denominator == 1 for value in values) and 2 <= bits <= 8 and decode_bits <= WIDEST_DECODE
    name = str(LearnedTable(kind="codebook", bits=bits, decode_bits=decode_bits)) if is_learned else f"table{bits}"
    return Codebook(name=name, values=values)
