"""Bits in series: time follows the operand's width.

``serial:weight`` (UNPU, Lee et al., ISSCC 2018) and ``serial:activation`` (Stripes, Judd et al., MICRO 2016) take one
operand bit by bit and the other in parallel; ``serial:both`` (Loom, Sharify et al., DAC 2018; BISMO, Umuroglu et al.,
FPL 2018) takes every pair of bits. A vector takes ceil(w / s), ceil(a / s) or ceil(a / s) ceil(w / s) cycles with s bits at
a time. Written ``serial:operand[:lanes[:bits at a time]]``: the lanes, on consecutive k, share a tree and one
shift-and-add register (16 in Stripes' inner-product unit), which is what makes bits in series pay.
UNPU's tables of precomputed sums are not modelled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hwsim.errors import did_you_mean
from hwsim.hardware.mac import MacMode, MacShape, tree_bits
from hwsim.hardware.modes import number

if TYPE_CHECKING:
    from hwsim.energy import EnergyTable

EXAMPLE = "serial:weight:16"
OPERANDS = ("weight", "activation", "both")
MOST_LANES, MOST_BITS = 4096, 8


@dataclass(frozen=True, slots=True)
class Mode(MacMode):
    """``lanes`` serial multipliers that take ``step_bits`` bits of an operand at a time."""

    operand: str
    lanes: int = 1
    step_bits: int = 1

    built_to_measure = True

    @classmethod
    def read(cls, words: list[str]) -> Mode:
        """Read ``serial:operand[:lanes[:bits]]``."""
        if not 1 <= len(words) <= 3:
            raise ValueError(f"is serial:operand:lanes as in {EXAMPLE}, not {':'.join(['serial', *words])!r}")
        if words[0] not in OPERANDS:
            raise ValueError(f"names the operand {words[0]!r}{did_you_mean(words[0], OPERANDS)}")
        lanes = number("a number of lanes", words[1], 1, MOST_LANES) if len(words) > 1 else 1
        return cls(words[0], lanes, number("bits at a time", words[2], 1, MOST_BITS) if len(words) > 2 else 1)

    def __str__(self) -> str:
        step = "" if self.step_bits == 1 else f":{self.step_bits}"
        return f"serial:{self.operand}:{self.lanes}{step}"

    def problem(self, activation_bits: int, weight_bits: int) -> str | None:
        """Any width only takes its time."""
        return None

    def shape(self, activation_bits: int, weight_bits: int) -> MacShape:
        """Return the lanes and the cycles of the operand in series."""
        a_cycles, w_cycles = (-(-bits // self.step_bits) for bits in (activation_bits, weight_bits))
        cycles = {"weight": w_cycles, "activation": a_cycles, "both": a_cycles * w_cycles}[self.operand]
        return MacShape(k_lanes=self.lanes, cycles_per_vector=cycles)

    def priced_bits(self, operands: tuple[int, int], built: tuple[int, int]) -> tuple[int, int]:
        """The operand in parallel is as wide as built, that in series as it comes."""
        (a, w), (built_a, built_w) = operands, built
        return {"weight": (built_a, w), "activation": (a, built_w), "both": (a, w)}[self.operand]

    def product_pj(self, prices: EnergyTable, a_bits: int, b_bits: int) -> float:
        """Return the cycles of one product: partial products, their share of the tree and of the shift-and-add register."""
        step, total = self._widths(a_bits, b_bits), tree_bits(a_bits + b_bits, self.lanes)
        tree = prices.add_pj(tree_bits(sum(step), self.lanes)) * (self.lanes - 1) / self.lanes
        shared = (prices.add_pj(total) + prices.register_write_pj(total)) / self.lanes
        return (prices.multiply_pj(*step) + tree + shared) * self.shape(a_bits, b_bits).cycles_per_vector

    def area_um2(self, prices: EnergyTable, a_bits: int, b_bits: int) -> float:
        """Return all lanes, the tree and the shift-and-add register."""
        step, total = self._widths(a_bits, b_bits), tree_bits(a_bits + b_bits, self.lanes)
        tree = prices.adder_area_um2(tree_bits(sum(step), self.lanes)) * (self.lanes - 1)
        register = prices.adder_area_um2(total) + prices.register_area_um2(total)
        return prices.multiplier_area_um2(*step) * self.lanes + tree + register

    def _widths(self, a_bits: int, b_bits: int) -> tuple[int, int]:
        """Return the widths of what one lane multiplies in a cycle."""
        a, b = min(self.step_bits, a_bits), min(self.step_bits, b_bits)
        return {"weight": (a_bits, b), "activation": (a, b_bits), "both": (a, b)}[self.operand]
