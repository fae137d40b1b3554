"""Prices of fusable, floating-point and sparse multiply-accumulate units."""

from __future__ import annotations

from hwsim.energy.lawbook import Laws


class MacPrices:
    """The part of ``EnergyTable`` that prices MAC modes: it holds no data of its own; laws at the table's activity."""

    __slots__ = ()

    laws: Laws

    @property
    def energy_scale(self) -> float:
        """See ``EnergyTable``."""
        raise NotImplementedError

    @property
    def area_scale(self) -> float:
        """See ``EnergyTable``."""
        raise NotImplementedError

    @property
    def activity(self) -> float:
        """See ``EnergyTable``."""
        raise NotImplementedError

    def fusion_pj(self, bits: int) -> float:
        """Return pJ of a cycle of a fusion unit of ``bits`` x ``bits`` (law ``fusion_fj``: BitFusion's synthesis)."""
        return self._pj(self.laws.fusion_fj(bits))

    def fusion_area_um2(self, bits: int) -> float:
        """Return um2 of a fusion unit (law ``fusion_area_um2``)."""
        return self.laws.fusion_area_um2(bits) * self.area_scale

    def float_multiply_pj(self, exponent_bits: int, mantissa_bits: int) -> float:
        """Return pJ of a floating-point product (law ``float_mac_fj``: own synthesis)."""
        return self._pj(self.laws.float_mac_fj.multiply(exponent_bits, mantissa_bits))

    def float_add_pj(self, exponent_bits: int, mantissa_bits: int) -> float:
        """Return pJ of a floating-point addition (law ``float_mac_fj``)."""
        return self._pj(self.laws.float_mac_fj.add(exponent_bits, mantissa_bits))

    def float_multiplier_area_um2(self, exponent_bits: int, mantissa_bits: int) -> float:
        """Return um2 of a floating-point multiplier (law ``float_mac_area_um2``)."""
        return self.laws.float_mac_area_um2.multiply(exponent_bits, mantissa_bits) * self.area_scale

    def float_adder_area_um2(self, exponent_bits: int, mantissa_bits: int) -> float:
        """Return um2 of a floating-point adder (law ``float_mac_area_um2``)."""
        return self.laws.float_mac_area_um2.add(exponent_bits, mantissa_bits) * self.area_scale

    def select_pj(self, bits: int, inputs: int) -> float:
        """Return pJ of choosing one of ``inputs`` words (law ``multiplexer_fj``)."""
        return self._pj(self.laws.multiplexer_fj(bits, inputs))

    def selector_area_um2(self, bits: int, inputs: int) -> float:
        """Return um2 of a multiplexer of ``inputs`` words (law ``multiplexer_area_um2``)."""
        return self.laws.multiplexer_area_um2(bits, inputs) * self.area_scale

    def _pj(self, law_fj: float) -> float:
        return law_fj * 1e-3 * self.energy_scale * self.activity
