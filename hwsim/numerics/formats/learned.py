"""Tables that are found on the numbers themselves: a text says what kind, each layer's weights say which values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from hwsim.errors import HwsimError
from hwsim.numerics.formats.power import DECODE_BITS, NEAREST

_TEXT = re.compile(r"(power|codebook)([2-8])(?:@([1-9][0-9]?))?(:nearest)?")
WIDEST_DECODE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedTable:
    """What stands in a precision plan where every layer gets a ``Codebook`` of its own.

    Args:
        kind: ``power``: a grid of powers whose exponent fits the weights; ``codebook``: any values (k-means).
        bits: of a code, 2 to 8.
        decode_bits: width of the integers in the table. Exponents 1 and 1/2 need no table, see ``power_exponent``.
        nearest: of powers: numbers are rounded to the nearest value instead of among the powers.

    Raises:
        HwsimError: widths out of range, ``nearest`` of a codebook (which rounds so anyway).

    >>> str(LearnedTable.parse("power4")), str(LearnedTable.parse("codebook3@6"))
    ('power4@8', 'codebook3@6')
    """

    kind: Literal["power", "codebook"]
    bits: int
    decode_bits: int = DECODE_BITS
    nearest: bool = False

    def __post_init__(self) -> None:
        if not (2 <= self.bits <= 8 and self.bits <= self.decode_bits <= WIDEST_DECODE):
            raise HwsimError(
                f"number format: a learned table has 2 to 8 bits and decodes to as many up to {WIDEST_DECODE}, "
                f"not {self.bits} and {self.decode_bits}"
            )
        if self.nearest and self.kind == "codebook":
            raise HwsimError(f"number format: a codebook always takes the nearest value; leave out {NEAREST!r}")

    @classmethod
    def named(cls, text: str) -> LearnedTable | None:
        """Return what ``text`` names, as ``power4``, ``power4@8:nearest`` or ``codebook4``; None where it names none.

        Raises:
            HwsimError: widths out of range.
        """
        match = _TEXT.fullmatch(text)
        if not match:
            return None
        kind: Literal["power", "codebook"] = "power" if match[1] == "power" else "codebook"
        decode_bits = int(match[3]) if match[3] else DECODE_BITS
        return cls(kind=kind, bits=int(match[2]), decode_bits=decode_bits, nearest=bool(match[4]))

    @classmethod
    def parse(cls, text: str) -> LearnedTable:
        """Return what ``text`` names; raise HwsimError where it names none."""
        found = cls.named(text)
        if found is None:
            raise HwsimError(f"number format: {text!r} is no learned table; write for example power4 or codebook4@8")
        return found

    def __str__(self) -> str:
        return f"{self.kind}{self.bits}@{self.decode_bits}{NEAREST if self.nearest else ''}"
