"""The set of laws that one table holds: a field per component, its unit in the name, its constants in the file."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from hwsim.energy.laws import (
    BitLaw,
    FloatLaw,
    ProductLaw,
    RequantizerAreaLaw,
    RequantizeShareLaw,
    RootLaw,
    ScalarLaw,
    SramRootLaw,
    VectorLaw,
)
from hwsim.energy.mac_laws import FloatMacLaw, FusionLaw, MultiplexerLaw
from hwsim.energy.scaling import NodeAreaLaw, NodeEnergyLaw


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockLaw:
    """Clock and control over the dynamic on-chip energy, for arrays without and with programmable elements."""

    formula: ClassVar[str] = (
        "{systolic:g} (plain systolic), {programmable:g} (programmable elements) of on-chip dynamic"
    )
    systolic: float
    programmable: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Laws:
    """Every law of a table, stated at the reference node and nominal voltage unless its comment says otherwise."""

    multiply_fj: ProductLaw
    add_fj: BitLaw
    register_fj: BitLaw
    float_pj: FloatLaw
    fusion_fj: FusionLaw
    float_mac_fj: FloatMacLaw
    multiplexer_fj: MultiplexerLaw
    requantize_share: RequantizeShareLaw
    vector_structure: VectorLaw
    activity: ScalarLaw  # of random operands: how much of the laws' energy real data switch
    register_file_fj_per_bit: RootLaw  # unit size 1 KiB
    sram_root_pj: SramRootLaw  # at the table's own node
    wire_pj_per_bit_mm: ScalarLaw  # at the table's own node
    clock_overhead: ClockLaw
    multiplier_area_um2: ProductLaw
    adder_area_um2: BitLaw
    register_area_um2: BitLaw
    float_area_um2: FloatLaw
    fusion_area_um2: FusionLaw
    float_mac_area_um2: FloatMacLaw
    multiplexer_area_um2: MultiplexerLaw
    requantizer_area_um2: RequantizerAreaLaw
    logic_leakage_nw_per_um2: ScalarLaw  # at every node
    node_energy: NodeEnergyLaw
    node_area: NodeAreaLaw


FIXABLE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "multiply_pj": ("a_bits", "b_bits"),
        "add_pj": ("bits",),
        "register_write_pj": ("bits",),
        "mac_pj": ("a_bits", "b_bits", "psum_bits"),
        "requantize_pj": ("scheme", "accumulator_bits", "multiplier_bits"),
        "vector_op_pj": ("kind", "bits"),
        "sram_read_pj": ("size_bytes", "width_bits"),
        "sram_write_pj": ("size_bytes", "width_bits"),
        "multiplier_area_um2": ("a_bits", "b_bits"),
        "adder_area_um2": ("bits",),
        "register_area_um2": ("bits",),
        "requantizer_area_um2": ("scheme", "accumulator_bits", "multiplier_bits"),
        "sram_area_um2": ("size_bytes", "width_bits"),
        "sram_leakage_mw": ("size_bytes", "width_bits"),
    }
)
"""Methods whose price a table may fix under ``[overrides]``, with their arguments."""
