"""Spatial composition: a unit of 2-bit bricks that fuse to multipliers of 2, 4, 8, ... bits.

Sharma et al., "Bit Fusion", ISCA 2018. A unit for p bits has (p / 2)^2 bricks; a product of a x w bits (each rounded up to
2, 4, 8, ...) takes (a / 2)(w / 2) of them, so that floor(p / a) floor(p / w) products of consecutive k fit and are summed
in the unit's tree of shifters and adders. An operand wider than the unit takes its parts one after the other:
ceil(a / p) ceil(w / p) cycles. Energy and area of the unit are the law ``fusion`` of the energy table, fitted to the
authors' synthesis; the whole unit toggles in every cycle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hwsim.hardware.mac import MacMode, MacShape
from hwsim.hardware.modes import number

if TYPE_CHECKING:
    from hwsim.energy import EnergyTable

EXAMPLE = "fusion:8"
WIDEST_UNIT_BITS = 32
PASSES = 2  # of one operand: 16 bits on a unit of 8, as in the paper


@dataclass(frozen=True, slots=True)
class Mode(MacMode):
    """A fusion unit for products of up to ``unit_bits`` x ``unit_bits``."""

    unit_bits: int

    @classmethod
    def read(cls, words: list[str]) -> Mode:
        """Read ``fusion:bits``."""
        if len(words) != 1:
            raise ValueError(f"is fusion:bits as in {EXAMPLE}, not {':'.join(['fusion', *words])!r}")
        bits = number("a unit", words[0], 2, WIDEST_UNIT_BITS)
        if bits & (bits - 1):
            raise ValueError(f"needs a unit of 2, 4, 8, 16 or 32 bits, not {bits}")
        return cls(bits)

    def __str__(self) -> str:
        return f"fusion:{self.unit_bits}"

    def problem(self, activation_bits: int, weight_bits: int) -> str | None:
        """Return what is wrong with operands of more than two passes."""
        widest = PASSES * self.unit_bits
        if max(activation_bits, weight_bits) <= widest:
            return None
        return f"a fusion unit of {self.unit_bits} bits takes operands of up to {widest} bits in two passes"

    def shape(self, activation_bits: int, weight_bits: int) -> MacShape:
        """Return the products that fit side by side, and the passes."""
        (a_lanes, a_passes), (w_lanes, w_passes) = (self._parts(bits) for bits in (activation_bits, weight_bits))
        return MacShape(k_lanes=a_lanes * w_lanes, cycles_per_vector=a_passes * w_passes)

    def _parts(self, bits: int) -> tuple[int, int]:
        """Return (operands side by side, passes) of one side of the unit."""
        fused = brick_bits(bits)
        return max(self.unit_bits // fused, 1), max(fused // self.unit_bits, 1)

    def product_pj(self, prices: EnergyTable, a_bits: int, b_bits: int) -> float:
        """Return the unit's energy of a cycle times the cycles of a product, over the products side by side."""
        shape = self.shape(a_bits, b_bits)
        return prices.fusion_pj(self.unit_bits) * shape.cycles_per_vector / shape.k_lanes

    def area_um2(self, prices: EnergyTable, a_bits: int, b_bits: int) -> float:
        """Return the unit."""
        return prices.fusion_area_um2(self.unit_bits)


def brick_bits(bits: int) -> int:
    """Return the width that bricks are fused to: 2, 4, 8, ...

    >>> [brick_bits(bits) for bits in (1, 2, 3, 4, 5, 8, 9)]
    [2, 2, 4, 4, 8, 8, 16]
    """
    return max(2, 1 << (bits - 1).bit_length())
