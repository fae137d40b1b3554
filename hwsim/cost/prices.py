"""What the counts of the compiled timing cost in energy: the part of a layer's energy that its mapping decides.

The same prices as ``hwsim.cost.energy``'s. Arithmetic is the same whatever the mapping is, but for the width of an open psum
register, which follows the folds: here it counts as for one tile.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from hwsim.cost.area import area_table
from hwsim.cost.array_work import array_work, column_sum_work
from hwsim.cost.decoders import decoder_work, fill_work
from hwsim.cost.energy import PJ_PER_MW_CYCLE_MHZ, access_pj, compute_pj
from hwsim.cost.ledger import Access
from hwsim.cost.links import Link, load_links, store_links
from hwsim.cost.scalers import FLOAT32, SCALER, scaler_work
from hwsim.cost.steps import steps_of
from hwsim.cost.traffic import psum_accesses
from hwsim.energy import EnergyTable, load_table
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.datapath import Datapath
from hwsim.mapping.decoding import held_weight_bits
from hwsim.mapping.layer_constants import column_bits, position_bits, table_bits
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import (
    accumulator_bits,
    has_column_sum,
    operand_bits,
    scale_bits,
    scaled_bits,
    stored_weight_bits,
)

FIXED = ("array", "requantizer", "column_sum", SCALER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """pJ per count.

    Args:
        fixed: arithmetic of the layer, and the filling of its decoders.
        cycle: leakage of the chip in a cycle.
        weight_read, ifmap_read: an element that enters the array; a weight is decoded, a stationary one shifted to its place.
        psum_access: an accumulator that is read, added to and written, with all that a partial sum passes on its way to it.
        constant_read: the constants of a column that are read.
        position_read: a scale by position that is read.
        scale_read: a scale of a segment that is read.
        loads, stores: a bit over each link.
    """

    fixed: float
    cycle: float
    weight_read: float
    ifmap_read: float
    psum_access: float
    constant_read: float
    position_read: float
    scale_read: float
    loads: tuple[float, ...]
    stores: tuple[float, ...]


def prices_of(mapping: Mapping, accelerator: Accelerator, datapath: Datapath) -> Prices:
    """Return the prices; of the mapping only the GEMM and what stays on chip are read."""
    table = load_table(accelerator.energy_table)
    gemm, array = mapping.gemm, accelerator.array
    clock = 1 + table.clock_overhead
    homes = {operand: accelerator.memory_of(operand).name for operand in ("ifmap", "weight", "psum")}

    def pj(memory: str, action: str, bits: int) -> float:
        row = Access(memory=memory, operand="", action=action, count=1, bits=bits)
        return access_pj(row, accelerator, table) * (1 if memory == "dram" else clock)

    def per_bit(link: Link) -> float:
        return pj(link.source, "read", 1) + pj(link.target, "write", 1)

    def read(operand: str, bits: int, wire_bits: int) -> float:
        shifts = (array.rows + 1) / 2 if operand == array.flow.stationary else 0
        return pj(homes[operand], "read", bits) + shifts * table.register_write_pj(wire_bits) * clock

    ifmap_bits, weight_bits = operand_bits(gemm, datapath)[0], held_weight_bits(gemm, datapath)
    decoded = clock * sum(compute_pj(row, table) for row in decoder_work(gemm, 1, datapath))
    sums = accumulator_bits(gemm, datapath)
    real = gemm.is_segmented and datapath.segment_scaling.is_real
    added = table.float_add_pj(*FLOAT32) if real else table.add_pj(sums)
    steps = steps_of(mapping, accelerator)
    work = array_work(mapping, steps, datapath)
    rescaled = clock * _per_sum_pj(mapping, datapath, table)
    fixed = clock * sum(compute_pj(row, table) for row in work if row.unit in FIXED)
    filled = clock * sum(compute_pj(row, table) for row in fill_work(mapping, datapath))
    filled += pj(homes["weight"], "read", table_bits(gemm, datapath))
    return Prices(
        fixed=fixed + filled - rescaled * int(psum_accesses(mapping, steps, datapath).sum()),
        cycle=leakage_pj_per_cycle(accelerator),
        weight_read=read("weight", stored_weight_bits(mapping), weight_bits + mapping.mac.index_bits) + decoded,
        constant_read=pj(homes["weight"], "read", column_bits(gemm, datapath)),
        position_read=pj(homes["weight"], "read", position_bits(gemm, datapath)),
        ifmap_read=read("ifmap", gemm.ifmap.bits, ifmap_bits),
        scale_read=pj(homes["weight"], "read", scale_bits(gemm, datapath)),
        psum_access=pj(homes["psum"], "read", sums) + pj(homes["psum"], "write", sums) + added * clock + rescaled,
        loads=tuple(
            per_bit(link) for operand in ("weight", "ifmap") for link in load_links(accelerator, mapping, operand)
        ),
        stores=tuple(per_bit(link) for link in store_links(accelerator, mapping)),
    )


def _per_sum_pj(mapping: Mapping, datapath: Datapath, table: EnergyTable) -> float:
    """Return what one more partial sum costs between the array and its accumulator: a scaler and, with it, a column sum."""
    rows = scaler_work(mapping, 1, datapath)
    if rows and has_column_sum(mapping.gemm, datapath):
        rows += column_sum_work(0, 1, scaled_bits(mapping, datapath), mapping.gemm)
    return sum(compute_pj(row, table) for row in rows)


@lru_cache(maxsize=256)
def leakage_pj_per_cycle(accelerator: Accelerator) -> float:
    """Return what the chip leaks in a cycle before its layers are mapped: open widths count as 8 bits."""
    leakage_mw = area_table(accelerator, load_table(accelerator.energy_table), {}).sum("leakage_mw")
    return float(leakage_mw / accelerator.clock_mhz * PJ_PER_MW_CYCLE_MHZ)
