"""The price of one action (pJ) and of one component (um2, mW) at a bit-width, node and voltage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hwsim.energy import compose
from hwsim.energy.lawbook import Laws
from hwsim.energy.mac_prices import MacPrices
from hwsim.energy.memory import MemoryPrices
from hwsim.energy.records import DramType, Override, ProvenanceRow, SramClass, Technology
from hwsim.energy.report import provenance_rows
from hwsim.energy.scaling import voltage_energy_factor, voltage_leakage_factor


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyTable(MemoryPrices, MacPrices):
    """A cost table, as read by ``load_table``; every method returns the price of one action or one component.

    ``activity`` of the logic methods replaces the table's default switching activity: 1 is the energy on random data
    (what synthesis tables and Horowitz quote), ``data_activity`` computes it from real streams. A price that the
    table overrides is returned as it stands: no activity, node or voltage is applied.
    """

    name: str
    description: str
    technology: Technology
    sram: SramClass
    laws: Laws
    dram_default: str
    dram_types: tuple[DramType, ...]
    overrides: tuple[Override, ...]
    law_rows: tuple[ProvenanceRow, ...]
    _fixed: dict[tuple[str, ...], float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        fixed = {(override.method, *override.arguments): override.value for override in self.overrides}
        object.__setattr__(self, "_fixed", fixed)

    @property
    def energy_scale(self) -> float:
        """Dynamic energy of logic here over that at the reference node and nominal voltage."""
        tech, law = self.technology, self.laws.node_energy
        node = law(tech.node_nm) / law(tech.reference_node_nm)
        return node * voltage_energy_factor(tech.voltage_v, tech.nominal_voltage_v)

    @property
    def area_scale(self) -> float:
        """Logic area here over that at the reference node."""
        return self.laws.node_area(self.technology.node_nm) / self.laws.node_area(self.technology.reference_node_nm)

    @property
    def activity(self) -> float:
        """Default share of the random-data energy that real data cause."""
        return self.laws.activity.value

    @property
    def clock_overhead(self) -> float:
        """Clock and control of a plain systolic array, as a fraction of its dynamic on-chip energy."""
        return self.laws.clock_overhead.systolic

    @property
    def clock_overhead_programmable(self) -> float:
        """The same for an array of programmable elements with their own control (Eyeriss)."""
        return self.laws.clock_overhead.programmable

    def multiply_pj(self, a_bits: int, b_bits: int, *, activity: float | None = None) -> float:
        """Return pJ of an integer product (law ``multiply_fj``: Horowitz's anchor, own synthesis' shape)."""
        return self._logic("multiply_pj", (a_bits, b_bits), activity, lambda: self.laws.multiply_fj(a_bits, b_bits))

    def add_pj(self, bits: int, *, activity: float | None = None) -> float:
        """Return pJ of an integer addition (law ``add_fj``: Horowitz)."""
        return self._logic("add_pj", (bits,), activity, lambda: self.laws.add_fj(bits))

    def register_write_pj(self, bits: int, *, activity: float | None = None) -> float:
        """Return pJ of clocking and writing a register of ``bits`` (law ``register_fj``: fitted to BitFusion)."""
        return self._logic("register_write_pj", (bits,), activity, lambda: self.laws.register_fj(bits))

    def mac_pj(self, a_bits: int, b_bits: int, psum_bits: int, *, activity: float | None = None) -> float:
        """Return pJ of a product and its addition to a partial sum; registers are counted by the caller."""
        return self.fixed_or(
            "mac_pj",
            (a_bits, b_bits, psum_bits),
            lambda: self.multiply_pj(a_bits, b_bits, activity=activity) + self.add_pj(psum_bits, activity=activity),
        )

    def requantize_pj(
        self, scheme: str, accumulator_bits: int, multiplier_bits: int = 32, *, activity: float | None = None
    ) -> float:
        """Return pJ of one requantized output (``compose.requantize_pj``); only ``fixed_point`` uses the multiplier."""
        compose.check_choice("requantization scheme", scheme, compose.REQUANTIZE_SCHEMES)
        arguments = (scheme, accumulator_bits, multiplier_bits)
        factor = self.activity if activity is None else activity
        return self.fixed_or("requantize_pj", arguments, lambda: compose.requantize_pj(self, *arguments, factor))

    def vector_op_pj(self, kind: str, bits: int, *, activity: float | None = None) -> float:
        """Return pJ of one element-wise operation (``compose.vector_op_pj``)."""
        compose.check_choice("vector operation", kind, compose.VECTOR_KINDS)
        factor = self.activity if activity is None else activity
        return self.fixed_or("vector_op_pj", (kind, bits), lambda: compose.vector_op_pj(self, kind, bits, factor))

    def multiplier_area_um2(self, a_bits: int, b_bits: int) -> float:
        """Return um2 of an integer multiplier (law ``multiplier_area_um2``: own synthesis' shape)."""
        return self._area(
            "multiplier_area_um2", (a_bits, b_bits), lambda: self.laws.multiplier_area_um2(a_bits, b_bits)
        )

    def adder_area_um2(self, bits: int) -> float:
        """Return um2 of an adder (law ``adder_area_um2``: own synthesis' shape)."""
        return self._area("adder_area_um2", (bits,), lambda: self.laws.adder_area_um2(bits))

    def register_area_um2(self, bits: int) -> float:
        """Return um2 of a register (law ``register_area_um2``: Nangate45 flip-flop)."""
        return self._area("register_area_um2", (bits,), lambda: self.laws.register_area_um2(bits))

    def requantizer_area_um2(self, scheme: str, accumulator_bits: int, multiplier_bits: int = 32) -> float:
        """Return um2 of one requantizer lane (``compose.requantizer_area_um2``)."""
        compose.check_choice("requantization scheme", scheme, compose.REQUANTIZE_SCHEMES)
        arguments = (scheme, accumulator_bits, multiplier_bits)
        return self.fixed_or("requantizer_area_um2", arguments, lambda: compose.requantizer_area_um2(self, *arguments))

    def logic_leakage_mw(self, area_um2: float) -> float:
        """Return mW of leakage of ``area_um2`` of logic (law ``logic_leakage_nw_per_um2``, times V / Vnom)."""
        supply = voltage_leakage_factor(self.technology.voltage_v, self.technology.nominal_voltage_v)
        return self.laws.logic_leakage_nw_per_um2.value * area_um2 * 1e-6 * supply

    def provenance(self) -> tuple[ProvenanceRow, ...]:
        """Return a row for every law, memory, composition and override of the table."""
        return provenance_rows(self)

    def fixed_or(self, method: str, arguments: tuple[int | str, ...], law: Callable[[], float]) -> float:
        """Return the override of a method's price where there is one, else the law's value."""
        compose.check_positive(method, arguments)
        if self._fixed:
            exact = self._fixed.get(
                (method, *(value if isinstance(value, str) else str(int(value)) for value in arguments)),
                self._fixed.get((method,)),
            )
            if exact is not None:
                return exact
        return law()

    def _logic(
        self, method: str, arguments: tuple[int, ...], activity: float | None, law_fj: Callable[[], float]
    ) -> float:
        """Return pJ of a law in fJ at this node, voltage and activity."""
        factor = self.activity if activity is None else activity
        return self.fixed_or(method, arguments, lambda: law_fj() * 1e-3 * self.energy_scale * factor)

    def _area(self, method: str, arguments: tuple[int, ...], law_um2: Callable[[], float]) -> float:
        """Return um2 of a law at this node."""
        return self.fixed_or(method, arguments, lambda: law_um2() * self.area_scale)
