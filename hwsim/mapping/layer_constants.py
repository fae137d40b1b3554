"""Constants that travel with a layer's weights: of every output column its bias, scale and zero point, and once a decoder's table.

A column has a scale of its own where weights or results are quantized per output channel: the requantizer then reads multiplier
and shift (or what its scheme is told) for every column. Scales per row (token) or per head are read likewise, by their *position*:
a table of rows, and where columns differ too one of rows and columns, since an output meets a single multiplier. One scale for
the whole layer is a register that is written with the layer's configuration and moves nothing.
"""

from __future__ import annotations

from hwsim.hardware.datapath import Datapath
from hwsim.hardware.requantizer_circuit import constant_bits
from hwsim.mapping.decoding import decoder_of
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.widths import accumulator_bits, has_column_constant
from hwsim.units import FLOAT32_BITS

BIAS_BITS = 32


def column_bits(gemm: Gemm, datapath: Datapath) -> int:
    """Return the bits that are stored for every output column beside its weights: bias or zero-point sum, its scale, its zero point."""
    bits = BIAS_BITS if has_column_constant(gemm, datapath) else 0
    bits += gemm.weight.bits if gemm.weight_zeros == "columns" else 0
    own = gemm.scales_columns and not positions_have_columns(gemm, datapath)
    return bits + (column_scale_bits(gemm, datapath) if own else 0)


def column_scale_bits(gemm: Gemm, datapath: Datapath) -> int:
    """Return the bits of a column's own scale; 0 where those of its segments hold it already (``on_datapath``)."""
    if _is_held_by_segments(gemm, datapath):
        return 0
    return _scale_bits(gemm, datapath)


def position_words(gemm: Gemm, datapath: Datapath) -> int:
    """Return the scales by position that are stored for a group, or once where groups share them; 0 where there are none."""
    if not gemm.scales_positions:
        return 0
    return gemm.scales_rows * (gemm.n if positions_have_columns(gemm, datapath) else 1)


def position_bits(gemm: Gemm, datapath: Datapath) -> int:
    """Return the bits of one scale by position; 0 where there are none."""
    return _scale_bits(gemm, datapath) if gemm.scales_positions else 0


def positions_have_columns(gemm: Gemm, datapath: Datapath) -> bool:
    """Whether each row has a scale per column: a floating-point MAC meets scales of rows and columns one by one instead."""
    return gemm.scales_rows > 1 and gemm.scales_columns and not datapath.mac.is_floating


def _is_held_by_segments(gemm: Gemm, datapath: Datapath) -> bool:
    if datapath.mac.is_floating:
        return gemm.is_decoded
    return gemm.is_segmented and datapath.segment_scaling.is_real


def _scale_bits(gemm: Gemm, datapath: Datapath) -> int:
    if datapath.mac.is_floating or _is_held_by_segments(gemm, datapath):
        return FLOAT32_BITS
    return constant_bits(datapath.requantizer, accumulator_bits(gemm, datapath), gemm.ofmap.bits)


def table_bits(gemm: Gemm, datapath: Datapath) -> int:
    """Return the bits that fill the decoder's table for the layer; 0 without a table."""
    decoder = decoder_of(gemm, datapath)
    return 0 if decoder is None else decoder.table_bits
