"""Fixed-point formats: ``width`` bits of which ``integer_bits`` stand before the binary point, as in ap_fixed<W, I>.

Text form: ``fixed<14,8>`` and ``ufixed<14,8>`` (QONNX's ``FIXED<14,8>``). ``integer_bits`` may be negative or beyond the
width, as in C++.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from hwsim.errors import HwsimError
from hwsim.numerics.formats.integer import IntFormat
from hwsim.numerics.rounding import Rounding

_TEXT = re.compile(r"(u?)fixed<\s*([1-9][0-9]?)\s*,\s*(-?[0-9]{1,3})\s*>")
FURTHEST = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedFormat:
    """An integer of ``width`` bits times ``2^(integer_bits - width)``.

    Args:
        width: 1..64, the sign bit included.
        integer_bits: bits before the binary point, the sign bit included.
        signed: two's complement if true.

    Raises:
        HwsimError: a width outside 1..64, a binary point more than 256 places away.

    >>> number = FixedFormat.parse("fixed<8,3>")
    >>> number.unit, number.encode_real(np.array([-0.51, 1.0, 99.0])).tolist()
    (Fraction(1, 32), [-16, 32, 127])
    """

    width: int
    integer_bits: int
    signed: bool = True

    def __post_init__(self) -> None:
        if abs(self.integer_bits) > FURTHEST:
            raise HwsimError(f"fixed-point format: integer_bits must be within +-{FURTHEST}, not {self.integer_bits}")
        IntFormat(bits=self.width, signed=self.signed)

    @classmethod
    def parse(cls, text: str) -> FixedFormat:
        """Read ``fixed<14,8>`` or ``ufixed<14,8>``; raise HwsimError for anything else."""
        match = _TEXT.fullmatch(text.strip())
        if not match:
            raise HwsimError(f"number format: {text!r} is not one; write for example fixed<14,8> or ufixed<8,0>")
        return cls(width=int(match[2]), integer_bits=int(match[3]), signed=not match[1])

    @property
    def integers(self) -> IntFormat:
        """The integers that are the codes."""
        return IntFormat(bits=self.width, signed=self.signed)

    @property
    def bits(self) -> int:
        """The width."""
        return self.width

    @property
    def storage_dtype(self) -> np.dtype:
        """The smallest numpy integer type that holds every code."""
        return self.integers.storage_dtype

    @property
    def fraction_bits(self) -> int:
        """Bits behind the binary point; negative where the step is above 1."""
        return self.width - self.integer_bits

    @property
    def unit(self) -> Fraction:
        """The step."""
        return Fraction(2) ** -self.fraction_bits

    @property
    def operand_range(self) -> tuple[int, int]:
        """The smallest and the largest code."""
        return self.integers.operand_range

    def encode_real(
        self, real: np.ndarray, *, rounding: Rounding = Rounding.HALF_EVEN, saturate: bool = True
    ) -> np.ndarray:
        """Return the codes next to ``real``; see ``IntFormat.encode_real``. Numbers beyond float64 when raised saturate."""
        with np.errstate(over="ignore", under="ignore"):
            raised = np.ldexp(np.asarray(real, dtype=np.float64), self.fraction_bits)
        return self.integers.encode_real(raised, rounding=rounding, saturate=saturate)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Return ``code * unit`` as float64, exact for codes of 53 bits."""
        return np.ldexp(self.integers.decode(codes), -self.fraction_bits)

    def operands(self, codes: np.ndarray) -> np.ndarray:
        """Return ``codes`` as int64."""
        return self.integers.operands(codes)

    def __str__(self) -> str:
        return f"{'' if self.signed else 'u'}fixed<{self.width},{self.integer_bits}>"
