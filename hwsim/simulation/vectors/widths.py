"""Widths of the words of an array layer: the machine's registers, and what its operands ask where a width is open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.execute.integer import Layer
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import accumulator_bits, operand_bits, psum_bits
from hwsim.numerics.float_mac import FloatMac
from hwsim.numerics.formats import IntFormat, bits_for_range
from hwsim.simulation.vectors.folds import Folds


@dataclass(frozen=True, slots=True, kw_only=True)
class Widths:
    """Bits of a word, and which of the operands are signed. ``term`` is what leaves a scaler.

    Registers are signed unless they hold codes of a floating-point format.
    """

    ifmap: int
    weight: int
    psum: int
    accumulator: int
    term: int
    ifmap_signed: bool
    weight_signed: bool
    registers_signed: bool = True

    def of(self, name: str) -> tuple[int, bool]:
        """Return (bits, signed) of ``ifmap``, ``weight``, ``psum``, ``term`` or ``accumulator``."""
        return getattr(self, name), getattr(self, f"{name}_signed", self.registers_signed)


def widths_of(layer: Layer, mapping: Mapping, folds: Folds) -> Widths:
    """Return the widths of a layer; a register that is declared exact is as wide as the values in it ask.

    Args:
        layer: its grids and datapath.
        mapping: its product.
        folds: partial sums, terms and accumulators that occur.
    """
    gemm, datapath = mapping.gemm, layer.datapath
    ifmap, weight = operand_bits(gemm, datapath)
    centred = datapath.zero_point == "subtracted"
    return Widths(
        ifmap=ifmap,
        weight=weight,
        psum=at_least(psum_bits(mapping, datapath), folds.psum),
        accumulator=at_least(accumulator_bits(gemm, datapath), folds.accumulator),
        term=at_least(1, folds.psum if folds.term is None else folds.term),
        ifmap_signed=_is_signed(layer, 0, centred and gemm.ifmap_asymmetric),
        weight_signed=_is_signed(layer, 1, centred and gemm.weight_asymmetric),
    )


def widths_of_codes(mac: FloatMac) -> Widths:
    """Return the widths of operands and registers that hold codes of floating-point formats, as plain binary."""
    operand, total = mac.operand.bits, mac.total.bits
    return Widths(
        ifmap=operand,
        weight=operand,
        psum=total,
        accumulator=total,
        term=total,
        ifmap_signed=False,
        weight_signed=False,
        registers_signed=False,
    )


def at_least(bits: int, values: np.ndarray) -> int:
    """Return ``bits``, or the signed width that ``values`` need where that is more; of real numbers their own."""
    if values.dtype.kind == "f":
        return 8 * values.itemsize
    return max(bits, bits_for_range(int(values.min()), int(values.max())))


def _is_signed(layer: Layer, index: int, centred: bool) -> bool:
    number = layer.grid(index).format
    return centred or number.operand_range[0] < 0 or not isinstance(number, IntFormat)
