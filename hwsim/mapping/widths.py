"""Register widths of a layer: what the machine states, or what the operands ask where the width is open."""

from __future__ import annotations

from dataclasses import replace

from hwsim.errors import MappingError
from hwsim.hardware.datapath import Datapath
from hwsim.hardware.mac import MacMode, MacShape
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.mapping import Mapping
from hwsim.numerics.accumulator import Accumulator
from hwsim.numerics.formats import Format, IntFormat, bits_for_range


def operand_bits(gemm: Gemm, datapath: Datapath) -> tuple[int, int]:
    """Return the widths (ifmap, weight) that enter the multiplier: one bit more where a centred code needs it.

    Codes of a table or a floating-point format are decoded first: what is multiplied is as wide as their operands, or
    as the mode's own format.

    Raises:
        ValueError: a floating-point mode does not hold every value; a predicate.
    """
    centred = datapath.zero_point == "subtracted"
    return (
        _multiplied_bits(gemm.ifmap, centred and gemm.ifmap_asymmetric, datapath.mac),
        _multiplied_bits(gemm.weight, centred and gemm.weight_asymmetric, datapath.mac),
    )


def _multiplied_bits(number: Format, centred: bool, mode: MacMode) -> int:
    own = mode.operand_bits(number, *_extremes(number, centred))
    if own is not None:
        return own
    return number.bits + centred if isinstance(number, IntFormat) else bits_for_range(*number.operand_range)


def mac_shape(gemm: Gemm, datapath: Datapath) -> MacShape:
    """Return what a processing element does at the widths of ``gemm``, with sparse weights where both know the pattern.

    Weights that obey N:M run on an array for N':M with N' >= N; on any other array they are dense.
    """
    shape = datapath.mac.shape(*operand_bits(gemm, datapath))
    obeyed, used = gemm.sparsity, datapath.sparsity
    if obeyed is None or used is None or obeyed.block != used.block or obeyed.keep > used.keep:
        return shape
    return replace(shape, keep=used.keep, block=used.block)


def stored_weight_bits(mapping: Mapping) -> int:
    """Return the bits in memory of one weight that is kept: its code and, where compressed, its place in the block."""
    return mapping.gemm.weight.bits + mapping.mac.index_bits


def multiplier_bits(layer: str, gemm: Gemm, datapath: Datapath) -> tuple[int, int]:
    """Return the multiplier's widths (activation, weight): the machine's, or the operands' where it is matched.

    Raises:
        MappingError: operands wider than the multiplier, or such as the mode does not take.
    """
    mode = datapath.mac
    if mode.is_floating and (datapath.psum.bits, datapath.accumulator.bits) != (None, None):
        raise MappingError(
            f"layer {layer!r}: psum and accumulator must be 'exact' with datapath.mac = {mode} (sums are executed exactly and "
            f"priced in its format), not {datapath.psum} and {datapath.accumulator}"
        )
    try:
        ifmap, weight = operand_bits(gemm, datapath)
        problem = mode.problem(ifmap, weight)
    except ValueError as error:
        problem = str(error)
    if problem:
        raise MappingError(f"layer {layer!r}: datapath.mac = {mode}: {problem}")
    built = (datapath.multiplier_activation_bits or ifmap, datapath.multiplier_weight_bits or weight)
    if ifmap > built[0] or weight > built[1]:
        raise MappingError(
            f"layer {layer!r}: operands of {ifmap} x {weight} bits do not fit the machine's {built[0]} x {built[1]}-bit "
            f"multiplier (activation x weight); choose narrower formats, or set datapath.multiplier_activation_bits and "
            f"datapath.multiplier_weight_bits (or 'matched')"
        )
    return built


def register_bits(register: Accumulator, gemm: Gemm, count: int, *, centred: bool = False) -> int:
    """Return the register's width; where it is open, the bound of the data types for ``count`` products.

    ``centred``: codes minus their zero point are multiplied. Of an asymmetric grid those reach the format's whole span
    in both directions, whatever the zero point is.
    """
    if register.bits is not None:
        return register.bits
    a = _extremes(gemm.ifmap, centred and gemm.ifmap_asymmetric)
    b = _extremes(gemm.weight, centred and gemm.weight_asymmetric)
    corners = [x * y * count for x in a for y in b]
    return bits_for_range(min(*corners, 0), max(*corners, 0))


def psum_bits(mapping: Mapping, datapath: Datapath) -> int:
    """Return the width of the partial-sum register inside the array: it adds the products of one fold."""
    if datapath.mac.sum_bits is not None:
        return datapath.mac.sum_bits
    centred = datapath.zero_point == "subtracted"
    return register_bits(datapath.psum, mapping.gemm, max(mapping.k_segments), centred=centred)


def accumulator_bits(gemm: Gemm, datapath: Datapath) -> int:
    """Return the width of the accumulators behind the array: they add all k products."""
    if datapath.mac.sum_bits is not None:
        return datapath.mac.sum_bits
    return register_bits(datapath.accumulator, gemm, gemm.k, centred=datapath.zero_point == "subtracted")


def has_column_constant(gemm: Gemm, datapath: Datapath) -> bool:
    """Whether a constant joins every output column: a bias, or the ifmap's zero point times the weights' sum."""
    return gemm.has_bias or (gemm.ifmap_asymmetric and datapath.zero_point == "folded")


def _extremes(number: Format, centred: bool) -> tuple[int, int]:
    low, high = number.operand_range
    return (low - high, high - low) if centred else (low, high)
