"""Register widths of a layer: what the machine states, or what the operands ask where the width is open."""

from __future__ import annotations

from dataclasses import replace

from hwsim.errors import MappingError
from hwsim.hardware.datapath import Datapath
from hwsim.hardware.mac import MacMode, MacShape
from hwsim.mapping.check import keeps_blocks
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.mapping import Mapping
from hwsim.numerics.accumulator import Accumulator
from hwsim.numerics.formats import Format, IntFormat, bits_for_range
from hwsim.units import FLOAT32_BITS


def operand_bits(gemm: Gemm, datapath: Datapath) -> tuple[int, int]:
    """Return the widths (ifmap, weight) that enter the multiplier: one bit more where a centred code needs it.

    Codes of a table or a floating-point format are decoded first: what is multiplied is as wide as their operands, or
    as the mode's own format.

    Raises:
        ValueError: a floating-point mode does not hold every value; a predicate.
    """
    centred = not folds_zero_points(datapath)
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

    Weights that obey N:M run on an array for N':M with N' >= N; on any other array they are dense, and so they are where
    segments of k cut or reorder their blocks.
    """
    shape = datapath.mac.shape(*operand_bits(gemm, datapath))
    obeyed, used = gemm.sparsity, datapath.sparsity
    if obeyed is None or used is None or obeyed.block != used.block or obeyed.keep > used.keep:
        return shape
    if not keeps_blocks(gemm, used.block):
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
            f"layer {layer!r}: psum and accumulator must be 'exact' with datapath.mac = {mode} (sums have its format "
            f"and no other width), not {datapath.psum} and {datapath.accumulator}"
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


def register_bits(
    register: Accumulator, gemm: Gemm, count: int, *, centred: bool = False, column_sum: bool = False
) -> int:
    """Return the register's width; where it is open, the bound of the data types for ``count`` products.

    ``centred``: codes minus their zero point are multiplied. Of an asymmetric grid those reach the format's whole span
    in both directions, whatever the zero point is. ``column_sum``: the weights' zero points have joined the sum, which is
    then one of centred weights.
    """
    if register.bits is not None:
        return register.bits
    a = _extremes(gemm.ifmap, centred and gemm.ifmap_asymmetric)
    b = _extremes(gemm.weight, (centred or column_sum) and gemm.weight_asymmetric)
    corners = [x * y * count for x in a for y in b]
    return bits_for_range(min(*corners, 0), max(*corners, 0))


def psum_bits(mapping: Mapping, datapath: Datapath) -> int:
    """Return the width of the partial-sum register inside the array: it adds the products of one fold."""
    if datapath.mac.sum_bits is not None:
        return datapath.mac.sum_bits
    centred = datapath.zero_point == "subtracted"
    return register_bits(datapath.psum, mapping.gemm, max(mapping.k_segments), centred=centred)


def accumulator_bits(gemm: Gemm, datapath: Datapath) -> int:
    """Return the width of the accumulators behind the array: they add all k products.

    Of rescaled sums, whose ratios are at most 1, an open one has the scaling's fraction bits beside; one in float32 is so.
    """
    if datapath.mac.sum_bits is not None:
        return datapath.mac.sum_bits
    centred = datapath.zero_point == "subtracted"
    if not gemm.is_segmented:
        return register_bits(datapath.accumulator, gemm, gemm.k, centred=centred)
    scaling = datapath.segment_scaling
    if scaling.is_real:
        return FLOAT32_BITS
    bits = register_bits(datapath.accumulator, gemm, gemm.k, centred=centred, column_sum=True)
    return bits if datapath.accumulator.bits is not None else bits + scaling.fraction


def scaled_bits(mapping: Mapping, datapath: Datapath) -> int:
    """Return the width of what a segment's ratio rescales: a fold's partial sum, and its column sum where there is one."""
    gemm, psum = mapping.gemm, psum_bits(mapping, datapath)
    if not has_column_sum(gemm, datapath):
        return psum
    joined = register_bits(Accumulator(), gemm, max(mapping.k_segments), column_sum=True)
    return max(psum + 1, joined)


def scale_bits(gemm: Gemm, datapath: Datapath) -> int:
    """Return the stored bits of one scale of a segment (an exponent where it only shifts), of weights with its zero point.

    0 where none is stored.
    """
    if not gemm.has_scales:
        return 0
    zero = gemm.weight.bits if gemm.weight_zeros == "segments" else 0
    return zero + (FLOAT32_BITS if gemm.is_decoded else datapath.segment_scaling.constant_bits)


def on_datapath(gemm: Gemm, datapath: Datapath) -> Gemm:
    """Return the GEMM as a datapath computes it.

    Floating-point elements take decoded operands, so that no segment is left. A float32 accumulator counts in real units, so
    that the scales of its segments hold those of the columns, too.
    """
    if not gemm.has_scales:
        return gemm
    decodes = datapath.mac.is_floating
    shares = gemm.shares_scales and (decodes or not datapath.segment_scaling.is_real)
    if (decodes, shares) == (gemm.is_decoded, gemm.shares_scales):
        return gemm
    return replace(gemm, is_decoded=decodes, shares_scales=shares)


def has_column_sum(gemm: Gemm, datapath: Datapath) -> bool:
    """Whether the ifmap is summed beside the array, for weights whose zero point is not 0."""
    return gemm.weight_asymmetric and folds_zero_points(datapath)


def has_column_constant(gemm: Gemm, datapath: Datapath) -> bool:
    """Whether a constant joins every output column: a bias, or the ifmap's zero point times the weights' sum."""
    return gemm.has_bias or (gemm.ifmap_asymmetric and folds_zero_points(datapath))


def folds_zero_points(datapath: Datapath) -> bool:
    """Whether raw codes are multiplied and zero points join the sums: floating-point elements take decoded operands."""
    return datapath.zero_point == "folded" and not datapath.mac.is_floating


def _extremes(number: Format, centred: bool) -> tuple[int, int]:
    low, high = number.operand_range
    return (low - high, high - low) if centred else (low, high)
