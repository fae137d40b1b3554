"""Closed-form laws of multiply-accumulate units other than a plain integer multiplier; constants in the table files."""

import math
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionLaw:
    """A unit of (p / 2)^2 fusable bricks of 2 bits and ``log2(p) - 1`` levels of shifters and adders above them."""

    formula: ClassVar[str] = "p^2 * ({brick:g} + {level:g}*(log2(p) - 1))"
    brick: float
    level: float

    def __call__(self, bits: int) -> float:
        """Return the law's value for a unit of ``bits`` x ``bits``.

        >>> FusionLaw(brick=6.1, level=7.0)(8)  # um2
        1286.4
        """
        return bits * bits * (self.brick + self.level * (math.log2(bits) - 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatMacLaw:
    """Multiplier and adder of ``e`` exponent and ``m`` mantissa bits: significands multiplied, aligned and normalized."""

    formula: ClassVar[str] = (
        "mul {square:g}*(m+1)^2 + {multiply_bit:g}*(e+m+1); add {shift:g}*(m+1)*log2(m+4) + {add_bit:g}*(e+m+1)"
    )
    square: float
    multiply_bit: float
    shift: float
    add_bit: float

    def multiply(self, exponent_bits: int, mantissa_bits: int) -> float:
        """Return the law's value for a multiplier."""
        return self.square * (mantissa_bits + 1) ** 2 + self.multiply_bit * (exponent_bits + mantissa_bits + 1)

    def add(self, exponent_bits: int, mantissa_bits: int) -> float:
        """Return the law's value for an adder."""
        shifters = self.shift * (mantissa_bits + 1) * math.log2(mantissa_bits + 4)
        return shifters + self.add_bit * (exponent_bits + mantissa_bits + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiplexerLaw:
    """A choice between ``n`` words, as n - 1 two-way multiplexers for every bit."""

    formula: ClassVar[str] = "{per_bit:g} * bits * (n - 1)"
    per_bit: float

    def __call__(self, bits: int, inputs: int) -> float:
        """Return the law's value for ``inputs`` words of ``bits`` bits."""
        return self.per_bit * bits * (inputs - 1)
