"""What stands between stored weight codes and products, read off the values of the weights' format.

Weights are stored and moved as codes. Which unit makes numbers of them follows from the integers that the codes decode to:

* consecutive integers are stored as themselves: nothing;
* ``q |q|``: a squarer of the magnitude, at the array's edge;
* other tables: a table of their own in registers, as wide as its integers, and a selector of one entry, at the edge; the
  table of a layer comes with its first weights;
* floating point (on an array of integers): shifters of the significand, a stage per exponent bit, at the edge;
* integers on an array of floating point: a multiplier of the code and the scale's significand, and an adder of the operand
  format, which normalizes and rounds;
* powers of two and -1, 0, 1: where multipliers are built to measure (``mac = "fixed"``, ``multiplier_weight_bits = "matched"``)
  a processing element holds the code and has no multiplier: a barrel shifter with a stage that negates, or a choice of 0, x and
  -x. A multiplier that is there anyway gets the power from a one-hot decoder at the edge, and -1, 0, 1 as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.hardware.datapath import Datapath
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.widths import operand_bits
from hwsim.numerics.formats import Codebook, FloatFormat
from hwsim.numerics.formats.decoding import values_of

SCALED = "scaled:"
TABLE = "table"
SHIFT, CHOICE = "shift_add", "choose_add"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoder:
    """What makes an operand of a stored weight at the array's edge.

    Args:
        kind: ``squares``, ``powers``, ``table``, ``floats``, or ``scaled:`` and a floating-point format.
        code_bits: of a stored weight; of a floating-point code those of its exponent.
        decoded_bits: of what enters the array.
    """

    kind: str
    code_bits: int
    decoded_bits: int

    @property
    def table_bits(self) -> int:
        """Bits that fill it for a layer; 0 where its function is wired."""
        return self.decoded_bits << self.code_bits if self.kind == TABLE else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What a processing element without a multiplier has instead.

    Args:
        action: ``SHIFT`` or ``CHOICE``.
        width: of a shift, the largest exponent; of a choice, the numbers to choose from.
    """

    action: str
    width: int


def decoder_of(gemm: Gemm, datapath: Datapath) -> Decoder | None:
    """Return the decoder of a layer's weights; None where they enter the array as they are stored."""
    kind: str = values_of(gemm.weight)
    is_floating = datapath.mac.is_floating
    if gemm.weight_is_activation or product_of(gemm, datapath) is not None:
        return None
    width = operand_bits(gemm, datapath)[1]
    if is_floating and kind == "integers":
        bits = gemm.weight.bits + gemm.weight_asymmetric
        return Decoder(kind=f"{SCALED}{datapath.mac.operand_format}", code_bits=bits, decoded_bits=width)
    if is_floating and isinstance(gemm.weight, FloatFormat):
        return None
    if is_floating:
        kind = TABLE
    if kind in ("integers", "signs"):
        return None
    bits = gemm.weight.exponent_bits if isinstance(gemm.weight, FloatFormat) else gemm.weight.bits
    return Decoder(kind=kind, code_bits=bits, decoded_bits=width)


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
