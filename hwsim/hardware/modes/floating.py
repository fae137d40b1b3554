"""A floating-point multiply-accumulate: ``floating:fp16:fp32`` multiplies fp16 and adds in fp32.

Its arithmetic is ``hwsim.numerics.float_mac``: exact products, every addition rounded to the format of sums, in the order of
the array. Operands of other formats are decoded on the way in, ``scale * (code - zero point)``, and rounded once; formats with
more significant bits than the mode's are refused, since they would lose values even where their scale is 1. psum and
accumulator must be ``exact``, which says that they have no width of their own.
Multiplier and adder are the law ``float_mac`` of the energy table (own synthesis of seven formats in two libraries). Those
circuits flush subnormal numbers and know no NaN, the arithmetic keeps both: less than the law's uncertainty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hwsim.errors import HwsimError
from hwsim.hardware.mac import MacMode, MacShape
from hwsim.numerics.float_mac import FloatMac
from hwsim.numerics.formats import Format, IntFormat
from hwsim.numerics.formats.floating import FloatFormat

if TYPE_CHECKING:
    from hwsim.energy import EnergyTable

EXAMPLE = "floating:fp16:fp32"


@dataclass(frozen=True, slots=True)
class Mode(MacMode):
    """Operands of ``operand`` and sums of ``total``, texts of floating-point formats."""

    operand: str
    total: str

    is_floating = True

    @classmethod
    def read(cls, words: list[str]) -> Mode:
        """Read ``floating:operand:sum``."""
        if len(words) != 2:
            raise ValueError(f"is floating:operand:sum as in {EXAMPLE}, not {':'.join(['floating', *words])!r}")
        operand, total = (_format(word) for word in words)
        try:
            FloatMac(operand=operand, total=total)
        except HwsimError as error:
            raise ValueError(f"has no arithmetic: {str(error).removeprefix('float mac: ')}") from None
        return cls(words[0], words[1])

    @property
    def arithmetic(self) -> FloatMac:
        """What is rounded to which format."""
        return FloatMac(operand=_format(self.operand), total=_format(self.total))

    def __str__(self) -> str:
        return f"floating:{self.operand}:{self.total}"

    def operand_bits(self, number: Format, low: int, high: int) -> int | None:
        """Return the width of the operand format; raise ValueError for operands of which it does not hold every value.

        Tables are rounded as they are decoded, as scales are.
        """
        unit = _format(self.operand)
        fits = True
        if isinstance(number, FloatFormat):
            fits = number.mantissa_bits <= unit.mantissa_bits and number.finest >= unit.finest
            fits = fits and number.maximum <= unit.maximum
        elif isinstance(number, IntFormat):
            largest = max(-low, high)  # a power of two needs one bit of the mantissa
            fits = (largest - 1).bit_length() <= unit.mantissa_bits + 1 and largest <= unit.maximum
        if not fits:
            raise ValueError(
                f"{self.operand} does not hold every value of {number}; widen it, or choose narrower formats"
            )
        return unit.bits

    @property
    def operand_format(self) -> str:
        """The text of the operands' format."""
        return self.operand

    @property
    def sum_bits(self) -> int | None:
        """The width of the sum's format."""
        return _format(self.total).bits

    def problem(self, activation_bits: int, weight_bits: int) -> str | None:
        """``operand_bits`` refuses."""
        return None

    def shape(self, activation_bits: int, weight_bits: int) -> MacShape:
        """Return one product a cycle."""
        return MacShape()

    def product_pj(self, prices: EnergyTable, a_bits: int, b_bits: int) -> float:
        """Return the multiplier."""
        unit = _format(self.operand)
        return prices.float_multiply_pj(unit.exponent_bits, unit.mantissa_bits)

    def sum_pj(self, prices: EnergyTable, sum_bits: int) -> float:
        """Return the adder of sums."""
        total = _format(self.total)
        return prices.float_add_pj(total.exponent_bits, total.mantissa_bits)

    def area_um2(self, prices: EnergyTable, a_bits: int, b_bits: int) -> float:
        """Return the multiplier."""
        unit = _format(self.operand)
        return prices.float_multiplier_area_um2(unit.exponent_bits, unit.mantissa_bits)

    def sum_area_um2(self, prices: EnergyTable, sum_bits: int) -> float:
        """Return the adder of sums."""
        total = _format(self.total)
        return prices.float_adder_area_um2(total.exponent_bits, total.mantissa_bits)


def _format(text: str) -> FloatFormat:
    try:
        return FloatFormat.parse(text)
    except HwsimError as error:
        raise ValueError(f"names the format {text!r}: {error}") from None
