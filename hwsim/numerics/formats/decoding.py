"""Which integers the codes of a format decode to: what decides the unit that decodes them."""

from __future__ import annotations

from functools import lru_cache
from math import isqrt
from typing import Literal

from hwsim.numerics.formats.codebook import Codebook
from hwsim.numerics.formats.floating import FloatFormat
from hwsim.numerics.formats.protocol import Format

Values = Literal["integers", "signs", "powers", "squares", "floats", "table"]


def values_of(number: Format) -> Values:
    """Return which kind of integers a format decodes to.

    >>> from hwsim.numerics.formats import parse_format
    >>> [values_of(parse_format(text)) for text in ("int4", "ternary", "pot4", "power4:0.5", "power4:0.7", "power4:1")]
    ['integers', 'signs', 'powers', 'squares', 'table', 'integers']
    """
    if isinstance(number, Codebook):
        return _values_of(number)
    return "floats" if isinstance(number, FloatFormat) else "integers"


@lru_cache(maxsize=256)
def _values_of(book: Codebook) -> Values:
    operands = sorted(int(value / book.unit) for value in book.values)
    sizes = [abs(operand) for operand in operands if operand]
    if max(sizes) == 1:
        return "signs"
    if operands[-1] - operands[0] == len(operands) - 1:
        return "integers"
    if all(size & (size - 1) == 0 for size in sizes):
        return "powers"
    roots = [isqrt(size) for size in sizes]
    if all(root * root == size for root, size in zip(roots, sizes, strict=True)) and max(roots) < 1 << (book.bits - 1):
        return "squares"
    return "table"
