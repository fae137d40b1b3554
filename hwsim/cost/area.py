"""A first area estimate: processing elements, accumulators, scalers, requantizers, vector lanes, memories; no wires."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hwsim.cost.array_cycles import drain_cycles
from hwsim.cost.banks import bank_of
from hwsim.cost.decoders import decoder_area_um2, decoder_work, ports, product_area_um2
from hwsim.cost.requantizers import requantizer_area_um2
from hwsim.cost.scalers import scaler_area_um2, scaler_work
from hwsim.energy import EnergyTable
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.parts import SystolicArray
from hwsim.hardware.requantizer_circuit import second_bits
from hwsim.mapping.decoding import Product, held_weight_bits, product_of
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import accumulator_bits, operand_bits, psum_bits
from hwsim.tables import Table

COLUMNS = ("component", "area_um2", "leakage_mw", "source")
LOGIC = "energy table: multiplier, adder, flip-flop and requantizer laws"
MEMORY = "energy table: SRAM macros"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Widths:
    """What one layer asks of a processing element.

    Args:
        priced: the multiplier's widths, as the MAC mode prices them.
        bits: of one operand and one partial sum.
        lanes: how many of each a processing element holds.
        products: a processing element computes at a time.
        accumulator: bits of an accumulator behind the array.
        product: what stands in the multiplier's place, or None.
    """

    priced: tuple[int, int]
    bits: dict[str, int]
    lanes: dict[str, int]
    products: int
    accumulator: int
    product: Product | None = None


UNKNOWN = _Widths(
    priced=(8, 8),
    bits={"ifmap": 8, "weight": 8, "psum": 32},
    lanes={"ifmap": 1, "weight": 1, "psum": 1},
    products=1,
    accumulator=32,
)


def area_table(accelerator: Accelerator, table: EnergyTable, mappings: dict[str, Mapping]) -> Table:
    """Return area and leakage by component.

    Where the machine leaves a width open (``matched`` multipliers, ``exact`` registers), it is built for the widest layer.
    """
    widths = [_widths(accelerator, layer, mapping) for layer, mapping in mappings.items()] or [UNKNOWN]
    accumulator, lanes = max(width.accumulator for width in widths), max(width.lanes["psum"] for width in widths)
    mode = accelerator.datapath.mac
    schemes = _schemes(accelerator, mappings)
    requantizer = max(requantizer_area_um2(table, scheme, accumulator, bits) for scheme, bits in sorted(schemes))
    vector = accelerator.vector
    lane = table.multiplier_area_um2(vector.bits, vector.bits) + table.adder_area_um2(vector.bits)
    logic = {
        "array": _element_um2(accelerator, table, widths) * accelerator.array.rows * accelerator.array.columns,
        "accumulator_adders": (mode.sum_area_um2(table, accumulator) + table.register_area_um2(accumulator))
        * accelerator.array.columns
        * lanes,
        **_decoders(accelerator, table, mappings),
        **_scalers(accelerator, table, mappings, lanes),
        "requantizers": requantizer * vector.requantizer_lanes,
        "vector_unit": (lane + table.register_area_um2(3 * vector.bits)) * vector.lanes,
    }
    rows = [(name, area, table.logic_leakage_mw(area), LOGIC) for name, area in logic.items()]
    for level in accelerator.memory:
        size, width = bank_of(level, max(level.read_bits_per_cycle, level.write_bits_per_cycle))
        area, leakage = (level.banks * price(size, width) for price in (table.sram_area_um2, table.sram_leakage_mw))
        rows.append((level.name, area, leakage, MEMORY))
    return Table.of(COLUMNS, rows)


def _element_um2(accelerator: Accelerator, table: EnergyTable, widths: Sequence[_Widths]) -> float:
    """Return a processing element that holds the widest layer of each register, and multiplies all pairs of widths."""
    array, datapath = accelerator.array, accelerator.datapath
    pairs = [width.priced for width in widths if width.product is None]
    if pairs:
        pairs.append((max(a for a, _ in pairs), max(b for _, b in pairs)))
    others = [product_area_um2(table, width.product, width.priced[0]) for width in widths if width.product is not None]
    psum, lanes = max(width.bits["psum"] for width in widths), max(width.lanes["psum"] for width in widths)
    held = {operand: max(width.bits[operand] * width.lanes[operand] for width in widths) for operand in widths[0].bits}
    products = max(sum(width.bits[operand] for operand in ("ifmap", "weight")) * width.products for width in widths)
    area = max((datapath.mac.area_um2(table, *pair) for pair in pairs), default=0.0) + max(others, default=0.0)
    area += datapath.mac.sum_area_um2(table, psum) * lanes
    if datapath.sparsity is not None:
        inputs, chosen = datapath.sparsity.block, max(width.bits["ifmap"] * width.products for width in widths)
        area += table.selector_area_um2(chosen, inputs)
    registers = _registers(array, held) + products * array.multiplier_latency_cycles
    return area + table.register_area_um2(registers)


def _registers(array: SystolicArray, bits: dict[str, int]) -> int:
    """Return the register bits of a processing element: operands and partial sum, and a second one where loads or drains overlap.

    Partial sums that move pass ``vertical_hop_registers`` registers on the way down, and those inside the adder.
    """
    held = bits[array.flow.stationary]
    moving = sum(bits.values()) - held + bits["psum"] * array.adder_latency_cycles
    if array.flow.reduces_in_time:
        return moving + held * (2 if array.overlap_drain and drain_cycles(array) else 1)
    return moving + (array.vertical_hop_registers - 1) * bits["psum"] + held * (2 if array.overlap_load else 1)


def _widths(accelerator: Accelerator, layer: str, mapping: Mapping) -> _Widths:
    datapath, gemm, mac = accelerator.datapath_for(layer), mapping.gemm, mapping.mac
    ifmap, weight = operand_bits(gemm, datapath)
    built = (datapath.multiplier_activation_bits or ifmap, datapath.multiplier_weight_bits or weight)
    held = datapath.multiplier_weight_bits or held_weight_bits(gemm, datapath)
    return _Widths(
        priced=datapath.mac.priced_bits((ifmap, weight), built),
        bits={"ifmap": built[0], "weight": held + mac.index_bits, "psum": psum_bits(mapping, datapath)},
        lanes=mac.register_lanes,
        products=mac.k_lanes * mac.n_lanes,
        accumulator=accumulator_bits(gemm, datapath),
        product=product_of(gemm, datapath),
    )


def _decoders(accelerator: Accelerator, table: EnergyTable, mappings: dict[str, Mapping]) -> dict[str, float]:
    """Return the area of the decoders, one for each weight that enters in a cycle; nothing where no layer needs any.

    Layers take turns on them, but on decoders of one kind only.
    """
    found: dict[str, float] = {}
    for layer, mapping in mappings.items():
        for row in decoder_work(mapping.gemm, 1, accelerator.datapath_for(layer)):
            one = decoder_area_um2(table, row.action, row.a_bits, row.b_bits) * ports(accelerator.array, mapping)
            found[row.action] = max(found.get(row.action, 0.0), one)
    return {"decoders": sum(found.values())} if found else {}


def _scalers(
    accelerator: Accelerator, table: EnergyTable, mappings: dict[str, Mapping], lanes: int
) -> dict[str, float]:
    """Return the area of the scalers, one for each sum that leaves a column in a cycle; nothing where no layer needs any."""
    found = []
    for layer, mapping in mappings.items():
        for row in scaler_work(mapping, 1, accelerator.datapath_for(layer)):
            found.append(scaler_area_um2(table, row.action, row.a_bits, row.b_bits))
    return {"segment_scalers": max(found) * accelerator.array.columns * lanes} if found else {}


def _schemes(accelerator: Accelerator, layers: Iterable[str]) -> set[tuple[str, int]]:
    units = [accelerator.datapath.requantizer, *(accelerator.datapath_for(layer).requantizer for layer in layers)]
    return {(unit.scheme, second_bits(unit)) for unit in units}
