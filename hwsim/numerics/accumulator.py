"""Partial-sum registers: their width and what happens at its end. Definition on unbounded integers.

Text form: ``exact`` (as wide as the layer's data types ask), ``int20:wrap``, ``int16:saturate``, ``int32:exact``
(values exact, priced at 32 bits, every excess counted as an overflow).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hwsim.errors import HwsimError, did_you_mean
from hwsim.numerics.formats import MAX_BITS, IntFormat


class Overflow(StrEnum):
    """What a register does with a sum that does not fit."""

    EXACT = "exact"
    WRAP = "wrap"
    SATURATE = "saturate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accumulator:
    """A signed partial-sum register.

    Args:
        bits: width 2..64, or None for "as wide as the data types ask" (``exact`` only).
        overflow: ``exact``, ``wrap`` (modulo 2^bits) or ``saturate`` (clamp after every addition).
    """

    bits: int | None = None
    overflow: Overflow = Overflow.EXACT

    def __post_init__(self) -> None:
        if self.bits is None and self.overflow is not Overflow.EXACT:
            raise HwsimError(f"accumulator: {self.overflow} needs a width; write for example int16:{self.overflow}")
        if self.bits is not None and not 2 <= self.bits <= MAX_BITS:
            raise HwsimError(f"accumulator: bits must be 2..{MAX_BITS}, not {self.bits}")

    @classmethod
    def parse(cls, text: str) -> Accumulator:
        """Read ``exact``, ``int16:saturate``, ``int20:wrap``, ``int32:exact``; a bare ``int32`` wraps.

        >>> str(Accumulator.parse("int16:saturate")), str(Accumulator.parse("int32"))
        ('int16:saturate', 'int32:wrap')
        """
        head, _, tail = text.strip().partition(":")
        if head == "exact" and not tail:
            return cls()
        number = IntFormat.parse(head)
        if not number.signed or number.narrow:
            raise HwsimError(
                f"accumulator: {text!r} must be signed two's complement, for example int{number.bits}:wrap"
            )
        mode = tail or "wrap"
        if mode not in list(Overflow):
            raise HwsimError(f"accumulator: overflow {mode!r} is unknown{did_you_mean(mode, list(Overflow))}")
        return cls(bits=number.bits, overflow=Overflow(mode))

    @property
    def minimum(self) -> int:
        """Smallest value; the 64-bit minimum where the width is open."""
        return -(1 << ((self.bits or MAX_BITS) - 1))

    @property
    def maximum(self) -> int:
        """Largest value."""
        return (1 << ((self.bits or MAX_BITS) - 1)) - 1

    def fits(self, value: int) -> bool:
        """Whether ``value`` fits the register."""
        return self.minimum <= value <= self.maximum

    def reduce(self, value: int) -> int:
        """Return what the register holds after ``value`` is written: the definition of the three overflow rules.

        >>> register = Accumulator.parse("int4:wrap")
        >>> register.reduce(9), Accumulator.parse("int4:saturate").reduce(9)
        (-7, 7)
        """
        if self.overflow is Overflow.EXACT or self.fits(value):
            return value
        if self.overflow is Overflow.SATURATE:
            return self.maximum if value > 0 else self.minimum
        return (value - self.minimum) % (1 << (self.bits or MAX_BITS)) + self.minimum

    def __str__(self) -> str:
        return "exact" if self.bits is None else f"int{self.bits}:{self.overflow}"


def accumulate(
    products: list[int],
    *,
    segments: list[int],
    psum: Accumulator,
    accumulator: Accumulator,
    start: int = 0,
    tree: int = 1,
) -> tuple[int, int, int]:
    """Add ``products`` as a mapped array does; the slow twin of ``hwsim.kernels.accumulate``.

    Inside a segment (one fold of the array) products are added in ascending order to a ``psum`` register that starts
    at zero; after each segment the partial sum is added to the ``accumulator``, which starts at ``start``. An adder tree
    sums ``tree`` products of a segment exactly, at whatever width it takes, before each addition to ``psum`` (as the
    MAC cells of NVDLA's CMAC do); the last group of a segment may be smaller.

    Args:
        products: exact products in the array's order of k.
        segments: lengths of the folds; they sum to ``len(products)``.
        psum: register inside the array.
        accumulator: register behind the array.
        start: what the accumulator holds before the first fold (a preloaded bias).
        tree: products that are summed exactly before each addition; 1 without a tree.

    Returns:
        The final accumulator value, the number of additions whose result did not fit their register, and the largest
        magnitude seen before any reduction.

    >>> register = Accumulator.parse("int4:saturate")
    >>> [accumulate([5, 5, -5], segments=[3], psum=register, accumulator=register, tree=tree)[0] for tree in (1, 2, 3)]
    [2, 2, 5]
    """
    if tree < 1:
        raise HwsimError(f"accumulate: an adder tree must sum at least one product, not {tree}; 1 means no tree")
    if sum(segments) != len(products):
        raise HwsimError(f"accumulate: segments {segments} must sum to the {len(products)} products")
    total = accumulator.reduce(start)
    overflows = int(not accumulator.fits(start))
    peak = abs(start)
    position = 0
    for length in segments:
        partial = 0
        for first in range(position, position + length, tree):
            partial += sum(products[first : min(first + tree, position + length)])
            overflows += not psum.fits(partial)
            peak = max(peak, abs(partial))
            partial = psum.reduce(partial)
        position += length
        total += partial
        overflows += not accumulator.fits(total)
        peak = max(peak, abs(total))
        total = accumulator.reduce(total)
    return total, overflows, peak
