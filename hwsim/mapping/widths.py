"""Register widths of a layer: what the machine states, or what the operands ask where the width is open."""

from __future__ import annotations

from hwsim.errors import MappingError
from hwsim.hardware.datapath import Datapath
from hwsim.mapping.gemm import Gemm
from hwsim.numerics.accumulator import Accumulator
from hwsim.numerics.formats import bits_for_range


def operand_bits(gemm: Gemm, datapath: Datapath) -> tuple[int, int]:
    """Return the widths (ifmap, weight) that enter the multiplier: one bit more where a centred code needs it."""
    extra = datapath.zero_point == "subtracted"
    return gemm.ifmap.bits + (extra and gemm.ifmap_asymmetric), gemm.weight.bits + (extra and gemm.weight_asymmetric)


def multiplier_bits(layer: str, gemm: Gemm, datapath: Datapath) -> tuple[int, int]:
    """Return the multiplier's widths (activation, weight): the machine's, or the operands' where it is matched.

    Raises:
        MappingError: operands wider than the multiplier.
    """
    ifmap, weight = operand_bits(gemm, datapath)
    built = (datapath.multiplier_activation_bits or ifmap, datapath.multiplier_weight_bits or weight)
    if ifmap > built[0] or weight > built[1]:
        raise MappingError(
            f"layer {layer!r}: operands of {ifmap} x {weight} bits do not fit the machine's {built[0]} x {built[1]}-bit "
            f"multiplier (activation x weight); choose narrower formats, or set datapath.multiplier_activation_bits and "
            f"datapath.multiplier_weight_bits (or 'matched')"
        )
    return built


def register_bits(register: Accumulator, gemm: Gemm, count: int) -> int:
    """Return the register's width; where it is open, the bound of the data types for ``count`` products."""
    if register.bits is not None:
        return register.bits
    a, b = gemm.ifmap, gemm.weight
    corners = [x * y * count for x in (a.minimum, a.maximum) for y in (b.minimum, b.maximum)]
    return bits_for_range(min(*corners, 0), max(*corners, 0))
