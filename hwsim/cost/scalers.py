"""What rescales partial sums where scales change along k: a scaler under every column of the array.

``fixed_point`` is a whole multiplier, whose product keeps nearly all its bits, and an adder that rounds; ``shift`` is the
requantizer that only shifts; ``float32`` is a multiplier behind a conversion, which counts as a requantizer's does: an adder in
proportion to the bits that are converted. Each holds one scale in a register.
"""

from __future__ import annotations

from hwsim.cost.ledger import Compute
from hwsim.energy import EnergyTable
from hwsim.hardware.datapath import Datapath
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import scaled_bits

SCALER = "segment_scaler"
FLOAT_ADD = "float_add"
FLOAT32 = (8, 23)  # exponent and mantissa bits
ACTIONS = {"fixed_point": "multiply", "shift": "shift", "float32": "float_multiply"}


def scaler_work(mapping: Mapping, sums: int, datapath: Datapath) -> list[Compute]:
    """Return the row of a layer whose folds leave ``sums`` partial sums; nothing where one scale serves the whole of k."""
    if not mapping.gemm.is_segmented:
        return []
    action, second = ACTIONS[datapath.segment_scaling.kind], datapath.segment_scaling.constant_bits
    return [Compute(unit=SCALER, action=action, count=sums, a_bits=scaled_bits(mapping, datapath), b_bits=second)]


def scaler_pj(table: EnergyTable, action: str, psum_bits: int, second_bits: int) -> float:
    """Return pJ of one rescaled partial sum; ``second_bits`` of the scale."""
    if action == "multiply":
        return table.multiply_pj(psum_bits, second_bits) + table.add_pj(psum_bits + second_bits)
    if action == "shift":
        return table.requantize_pj("power_of_two", psum_bits)
    return table.float_multiply_pj(*FLOAT32) + table.float_add_pj(*FLOAT32) * psum_bits / 32


def scaler_area_um2(table: EnergyTable, action: str, psum_bits: int, second_bits: int) -> float:
    """Return um2 of one scaler with the register of its scale; of ``float32`` with the adder of its accumulator, too."""
    register = table.register_area_um2(second_bits)
    if action == "multiply":
        adder = table.adder_area_um2(psum_bits + second_bits)
        return table.multiplier_area_um2(psum_bits, second_bits) + adder + register
    if action == "shift":
        return table.requantizer_area_um2("power_of_two", psum_bits) + register
    adders = table.float_adder_area_um2(*FLOAT32) * (1 + psum_bits / 32)
    return table.float_multiplier_area_um2(*FLOAT32) + adders + register
