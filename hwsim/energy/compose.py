"""Operations priced as compositions of multipliers, adders and registers: requantizers and special functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hwsim.energy.records import choice_problem
from hwsim.errors import HwsimError

if TYPE_CHECKING:
    from hwsim.energy.table import EnergyTable

REQUANTIZE_SCHEMES = ("float32", "fixed_point", "power_of_two")
VECTOR_KINDS = ("add", "multiply", "compare", "lookup", "exp", "divide", "sqrt")

COMPOSITIONS = (
    ("mac_pj", "multiply + add of the partial sum; registers are counted apart"),
    ("MAC mode fixed:L", "multiply + (L - 1)/L adders of the tree of L products; one add of the partial sum per tree"),
    ("MAC mode fusion:p", "fusion_fj of the whole unit, over the products side by side, times the passes"),
    (
        "MAC mode serial",
        "cycles * (multiply of the bits at a time + (L - 1)/L tree adders + (add + register)/L of the shift-and-add)",
    ),
    ("MAC modes packed, shared", "multiply at the built width over its lanes + tree adders, or sign corrections"),
    ("MAC mode floating", "float_mac_fj: multiply in the operands' format, add in the sums' format"),
    ("N:M sparse weights", "multiplexer_fj of M activations for each kept weight; pruned products cost nothing"),
    (
        "weight decoders",
        "table: multiplexer_fj of its 2^b entries; squares: multiply (b-1) x (b-1); floats: multiplexer_fj per exponent bit; "
        "powers of two before a multiplier: one-hot, multiplexer_fj of 1 bit and 2^(b-1) inputs; integers on a floating MAC: "
        "multiply of code and significand + float_mac_fj add",
    ),
    (
        "products of powers of two, and of -1, 0, 1",
        "without a multiplier: multiplexer_fj per shift stage and one that negates; a choice of 0, x and -x; add of the sum",
    ),
    ("requantize_pj float32", "convert (fp32 add * acc/32) + fp32 multiply + round (fp32 add); M is not used"),
    (
        "vector_op_pj compare",
        "add: a subtraction of which the sign is kept (Aladdin's comparator is a third of its adder)",
    ),
    ("vector_op_pj lookup", "register-file law for one entry out of a table of lookup_entries entries"),
    (
        "vector_op_pj exp",
        "(degree + 1) fp multiply-adds: range reduction and Horner, plus an exponent add; fp16 up to 16 b",
    ),
    ("vector_op_pj divide", "n steps of restoring division: add(n + 1) and 2n register bits"),
    ("vector_op_pj sqrt", "ceil(n/2) steps of digit recurrence: add(ceil(n/2) + 2) and 2n register bits"),
    ("requantizer_area_um2 float32", "fp32 add * (1 + acc/32) + fp32 multiply"),
)
"""Name and formula of each composition, for the provenance report."""


def requantize_pj(table: EnergyTable, scheme: str, accumulator_bits: int, multiplier_bits: int, factor: float) -> float:
    """Return pJ of one requantized output; ``factor`` is the activity.

    ``fixed_point`` and ``power_of_two``: shares of a multiplier and an adder fitted to own synthesis of requantizers.
    ``float32``: an fp adder holds the leading-zero counter, shifter and rounder that a conversion needs, so each
    conversion is priced as one; the one from the accumulator in proportion to its bits.
    """
    share, single = table.laws.requantize_share, table.laws.float_pj
    if scheme == "float32":
        energy_pj = single.multiply32 + single.add32 * (1 + accumulator_bits / 32)
        return energy_pj * table.energy_scale * factor
    if scheme == "power_of_two":
        return share.shift * table.add_pj(accumulator_bits, activity=factor)
    product = table.multiply_pj(accumulator_bits, multiplier_bits, activity=factor)
    return share.multiply * product + table.add_pj(accumulator_bits + multiplier_bits, activity=factor)


def requantizer_area_um2(table: EnergyTable, scheme: str, accumulator_bits: int, multiplier_bits: int) -> float:
    """Return um2 of one requantizer lane (own synthesis for the integer schemes, floating-point units for float32)."""
    law, single = table.laws.requantizer_area_um2, table.laws.float_area_um2
    if scheme == "float32":
        area_um2 = single.multiply32 + single.add32 * (1 + accumulator_bits / 32)
    elif scheme == "power_of_two":
        area_um2 = law.power_of_two(accumulator_bits)
    else:
        area_um2 = law.fixed_point(accumulator_bits, multiplier_bits)
    return area_um2 * table.area_scale


def vector_op_pj(table: EnergyTable, kind: str, bits: int, factor: float) -> float:
    """Return pJ of one element-wise operation on ``bits``-wide operands, composed as ``COMPOSITIONS`` says."""
    if kind == "multiply":
        return table.multiply_pj(bits, bits, activity=factor)
    if kind in ("add", "compare"):
        return table.add_pj(bits, activity=factor)
    if kind == "lookup":
        return table.register_file_pj(table.laws.vector_structure.lookup_entries * bits / 8, bits)
    if kind == "exp":
        return _exp_pj(table, bits, factor)
    steps, width = (bits, bits + 1) if kind == "divide" else ((bits + 1) // 2, (bits + 1) // 2 + 2)
    return steps * (table.add_pj(width, activity=factor) + table.register_write_pj(2 * bits, activity=factor))


def _exp_pj(table: EnergyTable, bits: int, factor: float) -> float:
    """Return pJ of ``2^i * p(f)``: a polynomial in fp16 (up to 16 bits) or fp32, then an 8-bit exponent add."""
    units, law = table.laws.float_pj, table.laws.vector_structure
    if bits <= 16:
        floats_pj = (law.exp_degree16 + 1) * (units.multiply16 + units.add16)
    else:
        floats_pj = (law.exp_degree32 + 1) * (units.multiply32 + units.add32)
    return floats_pj * table.energy_scale * factor + table.add_pj(8, activity=factor)


def check_choice(what: str, value: str, options: tuple[str, ...]) -> None:
    """Raise ``HwsimError`` unless ``value`` is one of ``options``."""
    problem = choice_problem(what, value, options)
    if problem:
        raise HwsimError(problem)


def check_positive(method: str, arguments: tuple[int | str, ...]) -> None:
    """Raise ``HwsimError`` where a width or size is not a positive integer."""
    for value in arguments:
        if not isinstance(value, str) and not (value >= 1 and value % 1 == 0):
            raise HwsimError(f"{method}: bit-widths and sizes must be positive integers, not {value!r}")
