"""What stands between stored weight codes and products, read off the values of the weights' format.

Weights are stored and moved as codes. Which unit makes numbers of them follows from the integers that the codes decode to:

* consecutive integers are stored as themselves: nothing;
* ``q |q|``: a squarer of the magnitude, at the array's edge;
* other tables: a table of their own in registers, as wide as its integers, and a selector of one entry, at the edge;
* floating point (on an array of integers): shifters of the significand, a stage per exponent bit, at the edge;
* integers on an array of floating point: a multiplier of the code and the scale's significand, and an adder of the operand
  format, which normalizes and rounds;
* powers of two and -1, 0, 1: where multipliers are built to measure (``mac = "fixed"``, ``multiplier_weight_bits = "matched"``)
  a processing element holds the code and has no multiplier: a barrel shifter with a stage that negates, or a choice of 0, x and
  -x. A multiplier that is there anyway gets the power from a one-hot decoder at the edge, and -1, 0, 1 as they are.

A code is decoded once for each time that it enters the array. Everything is composed from the energy table's laws of
multipliers, multiplexers and registers. Filling a table, once a layer, is not priced.
"""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.cost.ledger import Compute
from hwsim.energy import EnergyTable
from hwsim.hardware.datapath import Datapath
from hwsim.hardware.parts import SystolicArray
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import operand_bits
from hwsim.numerics.formats import Codebook, FloatFormat
from hwsim.numerics.formats.decoding import values_of

DECODER = "decoder"
SCALED = "scaled:"
SHIFT, CHOICE = "shift_add", "choose_add"
PRODUCTS = (SHIFT, CHOICE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What a processing element without a multiplier has instead.

    Args:
        action: ``SHIFT`` or ``CHOICE``.
        width: of a shift, the largest exponent; of a choice, the numbers to choose from.
    """

    action: str
    width: int


def product_of(gemm: Gemm, datapath: Datapath) -> Product | None:
    """Return what a processing element multiplies such weights with; None: its multiplier."""
    kind = values_of(gemm.weight)
    built = str(datapath.mac) == "fixed" and datapath.multiplier_weight_bits is None
    if not built or kind not in ("signs", "powers") or gemm.weight_is_activation:
        return None
    if kind == "signs":
        assert isinstance(gemm.weight, Codebook)
        return Product(action=CHOICE, width=len(gemm.weight.values))
    return Product(action=SHIFT, width=max(abs(end) for end in gemm.weight.operand_range).bit_length() - 1)


def held_weight_bits(gemm: Gemm, datapath: Datapath) -> int:
    """Return the width of a weight inside the array: the multiplier's operand, or the code where there is no multiplier."""
    return operand_bits(gemm, datapath)[1] if product_of(gemm, datapath) is None else gemm.weight.bits


def decoder_work(gemm: Gemm, count: int, datapath: Datapath) -> list[Compute]:
    """Return the row of ``count`` weights that enter the array; nothing where they enter as they are stored."""
    kind = values_of(gemm.weight)
    if gemm.weight_is_activation or product_of(gemm, datapath) is not None:
        return []
    if datapath.mac.is_floating and kind != "integers":
        kind = "floats" if isinstance(gemm.weight, FloatFormat) else "table"
    width = operand_bits(gemm, datapath)[1]
    if datapath.mac.is_floating and kind == "integers":
        bits = gemm.weight.bits + gemm.weight_asymmetric
        return [
            Compute(
                unit=DECODER, action=f"{SCALED}{datapath.mac.operand_format}", count=count, a_bits=bits, b_bits=width
            )
        ]
    if kind in ("integers", "signs") or (kind == "floats" and datapath.mac.is_floating):
        return []
    bits = gemm.weight.exponent_bits if isinstance(gemm.weight, FloatFormat) else gemm.weight.bits
    return [Compute(unit=DECODER, action=kind, count=count, a_bits=bits, b_bits=width)]


def decoder_pj(table: EnergyTable, kind: str, code_bits: int, decoded_bits: int) -> float:
    """Return pJ of one decoded weight; ``code_bits`` of a floating-point code are those of its exponent."""
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
