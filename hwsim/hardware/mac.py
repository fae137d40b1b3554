"""What one processing element does with the operands of a cycle: the record that timing, registers and prices read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from hwsim.errors import MappingError
from hwsim.numerics.formats import Format

if TYPE_CHECKING:
    from hwsim.energy import EnergyTable


@dataclass(frozen=True, slots=True, kw_only=True)
class MacShape:
    """The products of one processing element at the widths of one layer.

    Args:
        k_lanes: products of consecutive k that a tree sums exactly before the partial sum.
        n_lanes: output columns, each with a partial sum of its own.
        cycles_per_vector: cycles in which one streamed vector is used up (bits in series, or several passes).
        keep, block: of ``block`` weights along k only ``keep`` are multiplied (N:M sparsity); 1 and 1 where dense.

    >>> shape = MacShape(k_lanes=4, keep=2, block=4)
    >>> shape.held("k", 16), shape.vectors("k", 64), shape.macs_per_cycle
    (128, 8, Fraction(8, 1))

    Raises:
        MappingError: a number that is not positive, more kept weights than a block has.
    """

    k_lanes: int = 1
    n_lanes: int = 1
    cycles_per_vector: int = 1
    keep: int = 1
    block: int = 1

    def __post_init__(self) -> None:
        if min(self.k_lanes, self.n_lanes, self.cycles_per_vector, self.keep) < 1 or self.keep > self.block:
            raise MappingError(f"mac: lanes, cycles and keep <= block must be positive, not {self}")

    @property
    def is_sparse(self) -> bool:
        """Whether weights are compressed."""
        return self.block > 1

    @property
    def macs_per_cycle(self) -> Fraction:
        """Multiply-accumulates of the network per element and cycle; those of pruned weights count."""
        return Fraction(self.k_lanes * self.n_lanes * self.block, self.keep * self.cycles_per_vector)

    def kept(self, k: Any) -> Any:
        """Return the products along ``k`` (an integer or an array of them, whole blocks) that are computed."""
        return k // self.block * self.keep

    @property
    def index_bits(self) -> int:
        """Bits of storage beside every kept weight, for its place in the block."""
        return (self.block - 1).bit_length()

    @property
    def register_lanes(self) -> dict[str, int]:
        """Operands and partial sums that one processing element holds; of sparse weights the whole block's activations."""
        return {
            "ifmap": -(-self.k_lanes * self.block // self.keep),
            "weight": self.k_lanes * self.n_lanes,
            "psum": self.n_lanes,
        }

    def held(self, dimension: str, elements: int) -> int:
        """Return how much of a GEMM dimension ``elements`` processing elements side by side hold; whole blocks of k."""
        if dimension == "k":
            return elements * self.k_lanes // self.keep * self.block
        return elements * self.n_lanes if dimension == "n" else elements

    def vectors(self, dimension: str, size: Any) -> Any:
        """Return the vectors in which ``size`` (an integer or an array) of a streamed dimension enters."""
        if dimension == "k":
            return -(-self.kept(size) // self.k_lanes)
        return -(-size // self.n_lanes) if dimension == "n" else size

    def stream_cycles(self, dimension: str, size: Any) -> Any:
        """Return the cycles in which ``size`` of a streamed dimension enters."""
        return self.vectors(dimension, size) * self.cycles_per_vector


ONE_PRODUCT = MacShape()


class MacMode(ABC):
    """How a processing element multiplies; one subclass per file of ``hwsim.hardware.modes``, named ``Mode``.

    Widths are those of the integers that enter the multiplier, (activation, weight). Prices are composed from an energy
    table that a mode is handed. Subclasses are frozen dataclasses; their text ``str(mode)`` is what ``Mode.read`` reads.
    """

    __slots__ = ()

    built_to_measure = False
    """Whether ``datapath.multiplier_weight_bits`` and ``multiplier_activation_bits`` say how wide it is built."""
    is_floating = False
    """Whether operands and sums are floating-point numbers of the mode's own formats."""

    @classmethod
    @abstractmethod
    def read(cls, words: list[str]) -> MacMode:
        """Return the mode with the words behind its name; raise ValueError with a predicate."""

    @abstractmethod
    def problem(self, activation_bits: int, weight_bits: int) -> str | None:
        """Return why operands of these widths cannot be multiplied, or None."""

    @abstractmethod
    def shape(self, activation_bits: int, weight_bits: int) -> MacShape:
        """Return the lanes and cycles at these widths."""

    def priced_bits(self, operands: tuple[int, int], built: tuple[int, int]) -> tuple[int, int]:
        """Return the widths that decide the price: of the operands, or of the multiplier as ``built``."""
        return operands

    @abstractmethod
    def product_pj(self, prices: EnergyTable, a_bits: int, b_bits: int) -> float:
        """Return pJ of one product with its share of the element's tree, the partial sum left out; ``priced_bits``."""

    def sum_pj(self, prices: EnergyTable, sum_bits: int) -> float:
        """Return pJ of one addition to the partial sum."""
        return prices.add_pj(sum_bits)

    @abstractmethod
    def area_um2(self, prices: EnergyTable, a_bits: int, b_bits: int) -> float:
        """Return um2 of an element's multipliers and tree, built for these widths (``priced_bits``)."""

    def sum_area_um2(self, prices: EnergyTable, sum_bits: int) -> float:
        """Return um2 of one adder of partial sums."""
        return prices.adder_area_um2(sum_bits)

    def operand_bits(self, number: Format, low: int, high: int) -> int | None:
        """Return the width in which operands ``low..high`` of ``number`` enter where the mode has a format of its own."""
        return None

    @property
    def operand_format(self) -> str | None:
        """The text of the operands' format where the mode has one of its own, else None."""
        return None

    @property
    def sum_bits(self) -> int | None:
        """The width of partial sums where the mode has formats of its own, else None."""
        return None


def tree_bits(product_bits: int, lanes: int) -> int:
    """Return the width of the sum of ``lanes`` products."""
    return product_bits + (lanes - 1).bit_length()
