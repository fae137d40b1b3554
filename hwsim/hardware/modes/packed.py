"""Sub-word SIMD: a multiplier of p bits splits into p / b multipliers of b bits, b the wider operand's 1, 2, 4, ...

Two int4 products in an int8 lane, four int2 ones: the diagonal blocks of the multiplier's array (Sjalander and
Larsson-Edefors, "Multiplication acceleration through twin precision", TVLSI 2009). ``packed:8:k`` puts consecutive k into
one word and sums the products in a tree (a dot-product instruction); ``packed:8:n`` puts neighbouring output columns into
one word of weights, each with a partial sum of its own. Assumed: a split multiplier toggles as much as a whole one, and
splitting costs no area.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hwsim.errors import did_you_mean
from hwsim.hardware.mac import MacMode, MacShape, tree_bits
from hwsim.hardware.modes import number

if TYPE_CHECKING:
    from hwsim.energy import EnergyTable

EXAMPLE = "packed:8:k"
DIMENSIONS = ("k", "n")


@dataclass(frozen=True, slots=True)
class Mode(MacMode):
    """A ``word_bits`` x ``word_bits`` multiplier whose lanes run along ``dimension``."""

    word_bits: int
    dimension: str

    @classmethod
    def read(cls, words: list[str]) -> Mode:
        """Read ``packed:bits:dimension``."""
        if len(words) != 2:
            raise ValueError(f"is packed:bits:dimension as in {EXAMPLE}, not {':'.join(['packed', *words])!r}")
        if words[1] not in DIMENSIONS:
            raise ValueError(f"packs along {words[1]!r}{did_you_mean(words[1], DIMENSIONS)}")
        return cls(number("a word", words[0], 1, 32), words[1])

    def __str__(self) -> str:
        return f"packed:{self.word_bits}:{self.dimension}"

    def problem(self, activation_bits: int, weight_bits: int) -> str | None:
        """Return what is wrong with operands wider than the word."""
        if max(activation_bits, weight_bits) <= self.word_bits:
            return None
        return f"a packed multiplier takes operands of up to {self.word_bits} bits"

    def shape(self, activation_bits: int, weight_bits: int) -> MacShape:
        """Return the lanes: a power of two of them."""
        lanes = self._lanes(activation_bits, weight_bits)
        return MacShape(k_lanes=lanes) if self.dimension == "k" else MacShape(n_lanes=lanes)

    def _lanes(self, activation_bits: int, weight_bits: int) -> int:
        fit = self.word_bits // max(activation_bits, weight_bits)
        return 1 << (fit.bit_length() - 1)

    def product_pj(self, prices: EnergyTable, a_bits: int, b_bits: int) -> float:
        """Return a lane's share of the multiplier and, along k, of the tree."""
        lanes = self._lanes(a_bits, b_bits)
        adders = lanes - 1 if self.dimension == "k" else 0
        tree = prices.add_pj(tree_bits(a_bits + b_bits, lanes)) * adders
        return (prices.multiply_pj(self.word_bits, self.word_bits) + tree) / lanes

    def area_um2(self, prices: EnergyTable, a_bits: int, b_bits: int) -> float:
        """Return the multiplier and, along k, the tree for these operands."""
        lanes = self._lanes(a_bits, b_bits)
        adders = lanes - 1 if self.dimension == "k" else 0
        tree = prices.adder_area_um2(tree_bits(a_bits + b_bits, lanes)) * adders
        return prices.multiplier_area_um2(self.word_bits, self.word_bits) + tree
