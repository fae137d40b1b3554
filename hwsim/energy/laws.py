"""Closed-form laws of energy and area against bit-width; the constants of each come from a table file.

Sources of the forms: own synthesis of 45 multipliers, 12 adders and 8 requantizers in two libraries (the shape is
library independent), anchored at Horowitz, ISSCC 2014. The field names are the keys of the table file.
"""

import math
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductLaw:
    """Array multiplier: an a*b term less its edges, with a floor for very narrow operands."""

    formula: ClassVar[str] = "{slope:g} * max(a*b - ({linear:g})*(a + b), {floor:g}*a*b)"
    slope: float
    linear: float
    floor: float

    def __call__(self, a_bits: int, b_bits: int) -> float:
        """Return the law's value for an ``a_bits`` by ``b_bits`` multiplier.

        >>> round(ProductLaw(slope=3.85, linear=0.75, floor=0.2)(8, 8), 1)  # fJ
        200.2
        """
        product = a_bits * b_bits
        return self.slope * max(product - self.linear * (a_bits + b_bits), self.floor * product)


@dataclass(frozen=True, slots=True, kw_only=True)
class BitLaw:
    """A chain of equal bit cells; ``less_bits`` cells are simpler (never fewer than half of them count)."""

    formula: ClassVar[str] = "{per_bit:g} * max(n - {less_bits:g}, n/2)"
    per_bit: float
    less_bits: float = 0.0

    def __call__(self, bits: int) -> float:
        """Return the law's value for ``bits`` cells."""
        return self.per_bit * max(bits - self.less_bits, bits / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatLaw:
    """Floating-point units of half (16-bit) and single (32-bit) precision."""

    formula: ClassVar[str] = "fp16 mul {multiply16:g}, add {add16:g}; fp32 mul {multiply32:g}, add {add32:g}"
    multiply16: float
    add16: float
    multiply32: float
    add32: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RequantizeShareLaw:
    """How much of a multiplier and of an adder a requantizer costs: its output is short and it has no carry to keep."""

    formula: ClassVar[str] = "fixed_point: {multiply:g}*mul(acc, M) + add(acc + M); power_of_two: {shift:g}*add(acc)"
    multiply: float
    shift: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RequantizerAreaLaw:
    """Multiplier, shifter (``log2`` stages), rounding and clamp; a shift-only unit is linear in the accumulator."""

    formula: ClassVar[str] = "{product:g}*acc*M + {shifter:g}*(acc+M)*log2(acc+M); shift only {shift_per_bit:g}*acc"
    product: float
    shifter: float
    shift_per_bit: float

    def fixed_point(self, accumulator_bits: int, multiplier_bits: int) -> float:
        """Return the area of a unit with a multiplier."""
        total = accumulator_bits + multiplier_bits
        return self.product * accumulator_bits * multiplier_bits + self.shifter * total * math.log2(total)

    def power_of_two(self, accumulator_bits: int) -> float:
        """Return the area of a unit that only shifts, rounds and clamps."""
        return self.shift_per_bit * accumulator_bits


@dataclass(frozen=True, slots=True, kw_only=True)
class RootLaw:
    """Energy that grows with the side of a square of cells, ``x`` being the size over a unit size."""

    formula: ClassVar[str] = "{offset:g} + {root:g}*sqrt(size / unit)"
    offset: float
    root: float

    def __call__(self, x: float) -> float:
        """Return the law's value at size ``x`` (in unit sizes)."""
        return self.offset + self.root * math.sqrt(x)


@dataclass(frozen=True, slots=True, kw_only=True)
class SramRootLaw:
    """Energy of a 64-bit access, ``x`` in MiB; other widths share address and decoder energy as in the CACTI fit."""

    formula: ClassVar[str] = "({offset:g} + {root:g}*sqrt(S/MiB)) * (1 + {width_share:g}*(W/64 - 1))"
    offset: float
    root: float
    width_share: float

    def __call__(self, x: float, width_bits: float) -> float:
        """Return pJ for an access of ``width_bits`` to ``x`` MiB."""
        return (self.offset + self.root * math.sqrt(x)) * (1 + self.width_share * (width_bits / 64 - 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorLaw:
    """Structure of the special functions of a vector unit."""

    formula: ClassVar[str] = (
        "lookup: {lookup_entries:g} entries; exp: degree {exp_degree16:g} (fp16) or {exp_degree32:g} (fp32)"
    )
    lookup_entries: float
    exp_degree16: float
    exp_degree32: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalarLaw:
    """One number."""

    formula: ClassVar[str] = "{value:g}"
    value: float
