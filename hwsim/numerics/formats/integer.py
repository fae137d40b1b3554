"""Integer formats and their one text form.

``int8`` is two's complement, ``uint4`` unsigned, ``int8n`` narrow (symmetric: the most negative code is left out), and
``uint8n`` QONNX's narrow unsigned, 0 to 254.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from hwsim.errors import HwsimError
from hwsim.numerics.formats.storage import clipped, integer_dtype, wrapped
from hwsim.numerics.rounding import Rounding, round_real

_TEXT = re.compile(r"(u?)int([1-9][0-9]?)(n?)")
MAX_BITS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class IntFormat:
    """An integer code of ``bits`` bits.

    Args:
        bits: 1..64, the sign bit included.
        signed: two's complement if true.
        narrow: leave out the most negative code, so that the range is symmetric; of unsigned formats the largest (QONNX).

    Raises:
        HwsimError: a width outside 1..64, or an empty range.

    >>> IntFormat.parse("int8").minimum, IntFormat.parse("int8n").minimum, IntFormat.parse("uint4").maximum
    (-128, -127, 15)
    """

    bits: int
    signed: bool = True
    narrow: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= MAX_BITS:
            raise HwsimError(f"integer format: bits must be 1..{MAX_BITS}, not {self.bits}")
        if self.narrow and self.bits == 1:
            raise HwsimError(f"integer format: {self} holds the single value 0; use int1, uint1 or int2n")

    @classmethod
    def parse(cls, text: str) -> IntFormat:
        """Read ``int8``, ``uint4`` or ``int8n``; raise HwsimError for anything else."""
        match = _TEXT.fullmatch(text.strip())
        if not match:
            raise HwsimError(f"number format: {text!r} is not one; write for example int8, uint4 or int8n (narrow)")
        return cls(bits=int(match[2]), signed=not match[1], narrow=bool(match[3]))

    @property
    def minimum(self) -> int:
        """Smallest code."""
        if not self.signed:
            return 0
        return -(1 << (self.bits - 1)) + self.narrow

    @property
    def maximum(self) -> int:
        """Largest code."""
        return (1 << (self.bits - self.signed)) - 1 - (self.narrow and not self.signed)

    @property
    def levels(self) -> int:
        """How many codes there are."""
        return self.maximum - self.minimum + 1

    @property
    def magnitude(self) -> int:
        """Largest absolute value of a code."""
        return max(-self.minimum, self.maximum)

    def contains(self, value: int) -> bool:
        """Whether ``value`` is a code of this format."""
        return self.minimum <= value <= self.maximum

    @property
    def storage_dtype(self) -> np.dtype:
        """The smallest numpy integer type that holds every code."""
        return integer_dtype(self.bits, signed=self.signed)

    @property
    def unit(self) -> Fraction:
        """The real value of operand 1, which is 1: an integer stands for itself."""
        return Fraction(1)

    @property
    def operand_range(self) -> tuple[int, int]:
        """The smallest and the largest code."""
        return self.minimum, self.maximum

    def encode_real(
        self, real: np.ndarray, *, rounding: Rounding = Rounding.HALF_EVEN, saturate: bool = True
    ) -> np.ndarray:
        """Return the integers next to ``real`` (any shape), clipped to the range, or their lower bits.

        Args:
            real: floating-point numbers; NaN becomes the smallest code.
            rounding: of numbers between two integers.
            saturate: clip; if false, wrap modulo ``2^bits``.

        Raises:
            HwsimError: a narrow format, infinity or NaN with ``saturate=False``.
        """
        whole = round_real(np.asarray(real, dtype=np.float64), rounding)
        if saturate:
            return clipped(whole, self.minimum, self.maximum, self.storage_dtype)
        if self.narrow:
            raise HwsimError(f"number format: {self} leaves a code out, so it cannot wrap; use saturate=True")
        return wrapped(whole, self.bits, self.storage_dtype)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Return ``codes`` as float64, which holds codes of 53 bits exactly and rounds wider ones to even."""
        return np.asarray(codes).astype(np.float64)

    def operands(self, codes: np.ndarray) -> np.ndarray:
        """Return ``codes`` as int64; raise HwsimError for uint64, which it does not hold."""
        if self.maximum > np.iinfo(np.int64).max:
            raise HwsimError(f"number format: operands have at most 63 bits and a sign, so {self} has none; use int64")
        return np.asarray(codes).astype(np.int64)

    def __str__(self) -> str:
        return f"{'' if self.signed else 'u'}int{self.bits}{'n' if self.narrow else ''}"


def bits_for_range(minimum: int, maximum: int) -> int:
    """Return the two's complement width that holds every integer of ``minimum..maximum``.

    >>> bits_for_range(-128, 127), bits_for_range(0, 128), bits_for_range(0, 0)
    (8, 9, 1)
    """
    return (
        max((~minimum if minimum < 0 else minimum).bit_length(), (~maximum if maximum < 0 else maximum).bit_length())
        + 1
    )
