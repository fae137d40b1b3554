"""A multiplier of one width; with lanes, several of them on consecutive k in front of one partial sum.

``fixed`` is the processing element of a systolic array, ``fixed:4`` a dot-product element of four products. Narrower
operands use it as wide as it is built (``datapath.multiplier_*_bits``; ``matched``: as wide as each layer's operands).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hwsim.hardware.mac import MacMode, MacShape, tree_bits
from hwsim.hardware.modes import number

if TYPE_CHECKING:
    from hwsim.energy import EnergyTable

EXAMPLE = "fixed:4"
MOST_LANES = 4096


@dataclass(frozen=True, slots=True)
class Mode(MacMode):
    """``lanes`` multipliers and the tree that sums them."""

    lanes: int = 1

    built_to_measure = True

    @classmethod
    def read(cls, words: list[str]) -> Mode:
        """Read ``fixed`` or ``fixed:lanes``."""
        if len(words) > 1:
            raise ValueError(f"is fixed or fixed:lanes, not {':'.join(['fixed', *words])!r}")
        return cls(number("a number of lanes", words[0], 1, MOST_LANES) if words else 1)

    def __str__(self) -> str:
        return "fixed" if self.lanes == 1 else f"fixed:{self.lanes}"

    def problem(self, activation_bits: int, weight_bits: int) -> str | None:
        """Any width can be built."""
        return None

    def shape(self, activation_bits: int, weight_bits: int) -> MacShape:
        """Return the lanes along k."""
        return MacShape(k_lanes=self.lanes)

    def priced_bits(self, operands: tuple[int, int], built: tuple[int, int]) -> tuple[int, int]:
        """The whole multiplier toggles, whatever the operands."""
        return built

    def product_pj(self, prices: EnergyTable, a_bits: int, b_bits: int) -> float:
        """Return a product and its share of the ``lanes - 1`` adders of the tree."""
        tree = prices.add_pj(tree_bits(a_bits + b_bits, self.lanes)) * (self.lanes - 1) / self.lanes
        return prices.multiply_pj(a_bits, b_bits) + tree

    def area_um2(self, prices: EnergyTable, a_bits: int, b_bits: int) -> float:
        """Return all multipliers and the tree."""
        adder = prices.adder_area_um2(tree_bits(a_bits + b_bits, self.lanes))
        return prices.multiplier_area_um2(a_bits, b_bits) * self.lanes + adder * (self.lanes - 1)
