"""Several weights in one wide multiplier share an activation: the DSP-slice trick.

Fu et al., "Deep learning with INT8 optimization on Xilinx devices", WP486 2016: two 8-bit weights, 18 bits apart in the
27-bit port, times one 8-bit activation in the 18-bit port give two products. Here weights stand ``a + w`` bits apart, so
that a product never reaches the next one; ``shared:27x18`` holds n of them while ``w + (n - 1)(a + w) <= 27`` and the
activation fits 18 bits. Each product is split off, corrected for the sign of the one below it, and added to a partial sum
of its own (n lanes along n). Summing several products in the slice before they are split is not modelled.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hwsim.hardware.mac import MacMode, MacShape
from hwsim.hardware.modes import number

if TYPE_CHECKING:
    from hwsim.energy import EnergyTable

EXAMPLE = "shared:27x18"


@dataclass(frozen=True, slots=True)
class Mode(MacMode):
    """A multiplier with a port of ``weight_port_bits`` for packed weights and one of ``activation_port_bits``."""

    weight_port_bits: int
    activation_port_bits: int

    @classmethod
    def read(cls, words: list[str]) -> Mode:
        """Read ``shared:27x18``."""
        ports = re.fullmatch(r"(\w+)x(\w+)", words[0]) if len(words) == 1 else None
        if not ports:
            raise ValueError(f"is shared:PxQ as in {EXAMPLE}, not {':'.join(['shared', *words])!r}")
        return cls(*(number("ports", port, 2, 64) for port in ports.groups()))

    def __str__(self) -> str:
        return f"shared:{self.weight_port_bits}x{self.activation_port_bits}"

    def problem(self, activation_bits: int, weight_bits: int) -> str | None:
        """Return what is wrong with operands wider than their port."""
        if activation_bits <= self.activation_port_bits and weight_bits <= self.weight_port_bits:
            return None
        return (
            f"the multiplier's ports take activations of up to {self.activation_port_bits} and weights of up to "
            f"{self.weight_port_bits} bits"
        )

    def shape(self, activation_bits: int, weight_bits: int) -> MacShape:
        """Return the weights that fit side by side, as lanes along n."""
        room = self.weight_port_bits - weight_bits
        return MacShape(n_lanes=1 + room // (activation_bits + weight_bits))

    def product_pj(self, prices: EnergyTable, a_bits: int, b_bits: int) -> float:
        """Return a share of the whole multiplier, and a correction for every product but the lowest."""
        lanes = self.shape(a_bits, b_bits).n_lanes
        corrections = prices.add_pj(a_bits + b_bits) * (lanes - 1)
        return (prices.multiply_pj(self.activation_port_bits, self.weight_port_bits) + corrections) / lanes

    def area_um2(self, prices: EnergyTable, a_bits: int, b_bits: int) -> float:
        """Return the multiplier and the corrections."""
        corrections = prices.adder_area_um2(a_bits + b_bits) * (self.shape(a_bits, b_bits).n_lanes - 1)
        return prices.multiplier_area_um2(self.activation_port_bits, self.weight_port_bits) + corrections
