"""Energy and area of what stands between stored weight codes and products (``hwsim.mapping.decoding``).

A code is decoded once for each time that it enters the array; a table is filled once a layer, at every port of the array.
Everything is composed from the energy table's laws of multipliers, multiplexers and registers.
"""

from __future__ import annotations

from hwsim.cost.ledger import Compute
from hwsim.energy import EnergyTable
from hwsim.hardware.datapath import Datapath
from hwsim.hardware.parts import SystolicArray
from hwsim.mapping.decoding import CHOICE, SCALED, SHIFT, Product, decoder_of
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.mapping import Mapping
from hwsim.numerics.formats import FloatFormat

DECODER = "decoder"
FILL = "fill"
PRODUCTS = (SHIFT, CHOICE)


def decoder_work(gemm: Gemm, count: int, datapath: Datapath) -> list[Compute]:
    """Return the row of ``count`` weights that enter the array; nothing where they enter as they are stored."""
    decoder = decoder_of(gemm, datapath)
    if decoder is None:
        return []
    widths = {"a_bits": decoder.code_bits, "b_bits": decoder.decoded_bits}
    return [Compute(unit=DECODER, action=decoder.kind, count=count, **widths)]


def fill_work(mapping: Mapping, datapath: Datapath) -> list[Compute]:
    """Return the row of the registers that a layer's table fills, one table for each port; nothing without a table."""
    decoder = decoder_of(mapping.gemm, datapath)
    if decoder is None or not decoder.table_bits:
        return []
    entries = ports(mapping.array, mapping) << decoder.code_bits
    return [Compute(unit=DECODER, action=FILL, count=entries, a_bits=decoder.decoded_bits)]


def decoder_pj(table: EnergyTable, kind: str, code_bits: int, decoded_bits: int) -> float:
    """Return pJ of one decoded weight, or of one entry that is filled; see ``hwsim.mapping.decoding.Decoder``."""
    if kind == FILL:
        return table.register_write_pj(code_bits)
    if kind.startswith(SCALED):
        number = FloatFormat.parse(kind.removeprefix(SCALED))
        rounded = table.float_add_pj(number.exponent_bits, number.mantissa_bits)
        return table.multiply_pj(code_bits, number.mantissa_bits + 1) + rounded
    if kind == "squares":
        return table.multiply_pj(code_bits - 1, code_bits - 1)
    if kind == "powers":
        return table.select_pj(1, 1 << (code_bits - 1))
    if kind == "floats":
        return table.select_pj(decoded_bits, 2) * code_bits
    return table.select_pj(decoded_bits, 1 << code_bits)


def decoder_area_um2(table: EnergyTable, kind: str, code_bits: int, decoded_bits: int) -> float:
    """Return um2 of one decoder."""
    if kind.startswith(SCALED):
        number = FloatFormat.parse(kind.removeprefix(SCALED))
        rounded = table.float_adder_area_um2(number.exponent_bits, number.mantissa_bits)
        return table.multiplier_area_um2(code_bits, number.mantissa_bits + 1) + rounded
    if kind == "squares":
        return table.multiplier_area_um2(code_bits - 1, code_bits - 1)
    if kind == "powers":
        return table.selector_area_um2(1, 1 << (code_bits - 1))
    if kind == "floats":
        return table.selector_area_um2(decoded_bits, 2) * code_bits
    entries = 1 << code_bits
    return table.selector_area_um2(decoded_bits, entries) + table.register_area_um2(entries * decoded_bits)


def product_pj(table: EnergyTable, row: Compute) -> float:
    """Return pJ of one product without a multiplier and its addition to the partial sum."""
    bits, inputs, stages = _selectors(row.action, row.a_bits, row.b_bits)
    return table.select_pj(bits, inputs) * stages + table.add_pj(row.sum_bits)


def product_area_um2(table: EnergyTable, product: Product, activation_bits: int) -> float:
    """Return um2 of what stands in the multiplier's place."""
    bits, inputs, stages = _selectors(product.action, activation_bits, product.width)
    return table.selector_area_um2(bits, inputs) * stages


def ports(array: SystolicArray, mapping: Mapping) -> int:
    """Return how many weights enter the array in a cycle: along its columns, or along its rows where n is time."""
    along = array.rows if array.flow.time == "n" else array.columns
    return along * mapping.mac.k_lanes * mapping.mac.n_lanes


def _selectors(action: str, activation_bits: int, width: int) -> tuple[int, int, int]:
    """Return bits, inputs and number of the multiplexers of a product: shift stages and one that negates, or one choice."""
    if action == CHOICE:
        return activation_bits + 1, width, 1
    return activation_bits + width, 2, width.bit_length() + 1
