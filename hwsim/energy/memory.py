"""Prices of storage and of moving bits: SRAM macros, register files, DRAM and wires."""

from __future__ import annotations

from collections.abc import Callable

from hwsim.energy import sram
from hwsim.energy.lawbook import Laws
from hwsim.energy.records import DramType, SramClass, Technology
from hwsim.energy.scaling import log_log, voltage_energy_factor, voltage_leakage_factor
from hwsim.errors import HwsimError, did_you_mean

ROOT_LAW_FROM_BYTES = 8192
"""Smallest memory in the sources of the root law (TPUv4i and Horowitz both start at 8 KiB)."""


class MemoryPrices:
    """The storage half of ``EnergyTable``: it holds no data of its own."""

    __slots__ = ()

    technology: Technology
    sram: SramClass
    laws: Laws
    dram_default: str
    dram_types: tuple[DramType, ...]

    @property
    def energy_scale(self) -> float:
        """See ``EnergyTable``."""
        raise NotImplementedError

    def fixed_or(self, method: str, arguments: tuple[int | str, ...], law: Callable[[], float]) -> float:
        """See ``EnergyTable``."""
        raise NotImplementedError

    def sram_read_pj(self, size_bytes: int, width_bits: int) -> float:
        """Return pJ of reading ``width_bits`` at once from an SRAM of ``size_bytes``, one port, one bank."""
        return self._sram(
            "sram_read_pj", size_bytes, width_bits, lambda: self._access("read_pj", size_bytes, width_bits)
        )

    def sram_write_pj(self, size_bytes: int, width_bits: int) -> float:
        """Return pJ of writing ``width_bits`` at once to an SRAM of ``size_bytes``, one port, one bank."""
        return self._sram(
            "sram_write_pj", size_bytes, width_bits, lambda: self._access("write_pj", size_bytes, width_bits)
        )

    def sram_area_um2(self, size_bytes: int, width_bits: int) -> float:
        """Return um2 of an SRAM macro: CACTI 7 at 22..90 nm, ``node_area`` from the edge outside."""

        def law() -> float:
            area_mm2 = sram.macro("area_mm2", self.sram.device, self.technology.node_nm, size_bytes, width_bits)
            node_area, node_nm = self.laws.node_area, self.technology.node_nm
            return area_mm2 * 1e6 * node_area(node_nm) / node_area(_cacti_node(node_nm))

        return self._sram("sram_area_um2", size_bytes, width_bits, law)

    def sram_leakage_mw(self, size_bytes: int, width_bits: int) -> float:
        """Return mW of leakage of an SRAM macro: CACTI 7 at 300 K, times its growth with temperature and V / Vnom.

        Low confidence: four orders of magnitude between device classes. Outside 22..90 nm the edge node's value.
        """

        def law() -> float:
            tech = self.technology
            cold_mw = sram.macro("leakage_mw", self.sram.device, tech.node_nm, size_bytes, width_bits)
            warm = sram.temperature_factor(self.sram.device, tech.node_nm, self.sram.temperature_k)
            return cold_mw * warm * voltage_leakage_factor(tech.voltage_v, tech.nominal_voltage_v)

        return self._sram("sram_leakage_mw", size_bytes, width_bits, law)

    def register_file_pj(self, size_bytes: float, width_bits: int) -> float:
        """Return pJ of an access to a register file below 1 KiB (law ``register_file_fj_per_bit``, hand-set)."""
        return self.laws.register_file_fj_per_bit(size_bytes / 1024) * width_bits * 1e-3 * self.energy_scale

    def dram_pj_per_bit(self, kind: str | None = None) -> float:
        """Return pJ per bit of a DRAM type of the table (without ``kind``: its default type)."""
        wanted = self.dram_default if kind is None else kind
        for dram in self.dram_types:
            if dram.name == wanted:
                return dram.pj_per_bit
        hint = did_you_mean(wanted, [dram.name for dram in self.dram_types])
        raise HwsimError(f"no DRAM type {wanted!r} in this energy table{hint}")

    def wire_pj_per_bit_mm(self) -> float:
        """Return pJ to move one bit over one millimetre on chip (law ``wire_pj_per_bit_mm``, times (V / Vnom)^2)."""
        return self.laws.wire_pj_per_bit_mm.value * self._voltage

    @property
    def _voltage(self) -> float:
        return voltage_energy_factor(self.technology.voltage_v, self.technology.nominal_voltage_v)

    def _sram(self, method: str, size_bytes: int, width_bits: int, law: Callable[[], float]) -> float:
        """Return an override or the law, after checking that the memory holds at least one word."""

        def checked() -> float:
            if width_bits > size_bytes * 8:
                raise HwsimError(
                    f"{method}: a memory must hold at least one word of width_bits, but {size_bytes} bytes are fewer "
                    f"than {width_bits} bits; give a smaller width or a larger size"
                )
            return law()

        return self.fixed_or(method, (size_bytes, width_bits), checked)

    def _access(self, quantity: str, size_bytes: int, width_bits: int) -> float:
        """Return pJ of one access by the energy law of the table.

        Below 1 KiB the register-file law holds, but never costs more than CACTI's 1 KiB macro of the same width.
        The root law starts at 8 KiB; from there down to the register file at 1 KiB the two are joined log-log.
        """
        if self.sram.energy_law == "cacti":
            tech, node_energy = self.technology, self.laws.node_energy
            edge = node_energy(tech.node_nm) / node_energy(_cacti_node(tech.node_nm))
            macro_pj = (
                sram.macro(quantity, self.sram.device, tech.node_nm, size_bytes, width_bits) * edge * self._voltage
            )
            if size_bytes >= sram.SMALLEST_BYTES:
                return macro_pj
            return min(macro_pj, self.register_file_pj(size_bytes, width_bits))
        if size_bytes >= ROOT_LAW_FROM_BYTES:
            return self.laws.sram_root_pj(size_bytes / 2**20, width_bits) * self._voltage
        if size_bytes <= sram.SMALLEST_BYTES:
            return self.register_file_pj(size_bytes, width_bits)
        small = self.register_file_pj(sram.SMALLEST_BYTES, width_bits)
        large = self.laws.sram_root_pj(ROOT_LAW_FROM_BYTES / 2**20, width_bits) * self._voltage
        return log_log(size_bytes, sram.SMALLEST_BYTES, small, ROOT_LAW_FROM_BYTES, large)


def _cacti_node(node_nm: float) -> float:
    """Return the node of the CACTI sweep nearest to ``node_nm`` (itself inside 22..90 nm)."""
    return min(max(node_nm, float(sram.NODES_NM[0])), float(sram.NODES_NM[-1]))
