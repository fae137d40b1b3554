"""A first area estimate: processing elements, accumulators, requantizers, vector lanes and memories; wires not counted."""

from __future__ import annotations

from collections.abc import Iterable

from hwsim.cost.array_cycles import drain_cycles
from hwsim.cost.requantizers import requantizer_area_um2, second_bits
from hwsim.energy import EnergyTable
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.parts import SystolicArray
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import accumulator_bits, operand_bits, psum_bits
from hwsim.tables import Table
from hwsim.units import BITS_PER_BYTE

COLUMNS = ("component", "area_um2", "leakage_mw", "source")
LOGIC = "energy table: multiplier, adder, flip-flop and requantizer laws"
MEMORY = "energy table: SRAM macros"


def area_table(accelerator: Accelerator, table: EnergyTable, mappings: dict[str, Mapping]) -> Table:
    """Return area and leakage by component.

    Where the machine leaves a width open (``matched`` multipliers, ``exact`` registers), it is built for the widest layer.
    """
    widths = [_widths(accelerator, layer, mapping) for layer, mapping in mappings.items()]
    a, b, psum, accumulator = (max(column) for column in zip(*widths, strict=True)) if widths else (8, 8, 32, 32)
    array = accelerator.array
    element = table.multiplier_area_um2(a, b) + table.adder_area_um2(psum)
    element += table.register_area_um2(_registers(array, a, b, psum))
    schemes = _schemes(accelerator, mappings)
    requantizer = max(requantizer_area_um2(table, scheme, accumulator, bits) for scheme, bits in sorted(schemes))
    vector = accelerator.vector
    lane = table.multiplier_area_um2(vector.bits, vector.bits) + table.adder_area_um2(vector.bits)
    logic = {
        "array": element * array.rows * array.columns,
        "accumulator_adders": (table.adder_area_um2(accumulator) + table.register_area_um2(accumulator))
        * array.columns,
        "requantizers": requantizer * vector.requantizer_lanes,
        "vector_unit": (lane + table.register_area_um2(3 * vector.bits)) * vector.lanes,
    }
    rows = [(name, area, table.logic_leakage_mw(area), LOGIC) for name, area in logic.items()]
    for level in accelerator.memory:
        width = min(max(level.read_bits_per_cycle, level.write_bits_per_cycle), level.size_bytes * BITS_PER_BYTE)
        area, leakage = table.sram_area_um2(level.size_bytes, width), table.sram_leakage_mw(level.size_bytes, width)
        rows.append((level.name, area, leakage, MEMORY))
    return Table.of(COLUMNS, rows)


def _registers(array: SystolicArray, a: int, b: int, psum: int) -> int:
    """Return the register bits of a processing element: operands and partial sum, and a second one where loads or drains overlap.

    Partial sums that move pass ``vertical_hop_registers`` registers on the way down.
    """
    bits = {"ifmap": a, "weight": b, "psum": psum}
    held = bits[array.flow.stationary]
    moving = sum(bits.values()) - held
    if array.flow.reduces_in_time:
        return moving + held * (2 if array.overlap_drain and drain_cycles(array) else 1)
    return moving + (array.vertical_hop_registers - 1) * psum + held * (2 if array.overlap_load else 1)


def _widths(accelerator: Accelerator, layer: str, mapping: Mapping) -> tuple[int, int, int, int]:
    datapath, gemm = accelerator.datapath_for(layer), mapping.gemm
    ifmap, weight = operand_bits(gemm, datapath)
    return (
        datapath.multiplier_activation_bits or ifmap,
        datapath.multiplier_weight_bits or weight,
        psum_bits(mapping, datapath),
        accumulator_bits(gemm, datapath),
    )


def _schemes(accelerator: Accelerator, layers: Iterable[str]) -> set[tuple[str, int]]:
    units = [accelerator.datapath.requantizer, *(accelerator.datapath_for(layer).requantizer for layer in layers)]
    return {(unit.scheme, second_bits(unit)) for unit in units}
