"""Constants that travel with a layer's weights: of every output column its bias and its scale, and once a decoder's table.

A column has a scale of its own where weights or results are quantized per output channel: the requantizer then reads multiplier
and shift (or what its scheme is told) for every column. One scale for the whole layer is a register that is written with the
layer's configuration and moves nothing.
"""

from __future__ import annotations

from hwsim.hardware.datapath import Datapath
from hwsim.hardware.requantizer_circuit import FLOAT_BITS, constant_bits
from hwsim.mapping.decoding import decoder_of
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.widths import accumulator_bits, has_column_constant

BIAS_BITS = 32


def column_bits(gemm: Gemm, datapath: Datapath) -> int:
    """Return the bits that are stored for every output column beside its weights: bias or zero-point sum, and its scale."""
    bias = BIAS_BITS if has_column_constant(gemm, datapath) else 0
    return bias + (column_scale_bits(gemm, datapath) if gemm.scales_columns else 0)


def column_scale_bits(gemm: Gemm, datapath: Datapath) -> int:
    """Return the bits of a column's own scale; 0 where those of its segments hold it already (``on_datapath``)."""
    if datapath.mac.is_floating:
        return 0 if gemm.is_decoded else FLOAT_BITS
    if gemm.is_segmented and datapath.segment_scaling.is_real:
        return 0
    return constant_bits(datapath.requantizer, accumulator_bits(gemm, datapath), gemm.ofmap.bits)


def table_bits(gemm: Gemm, datapath: Datapath) -> int:
    """Return the bits that fill the decoder's table for the layer; 0 without a table."""
    decoder = decoder_of(gemm, datapath)
    return 0 if decoder is None else decoder.table_bits
