"""Biases that come as integers: their grid must be that of the products that they join."""

from __future__ import annotations

import numpy as np

from hwsim.graph.fusion import bias_stays_real
from hwsim.interchange.reading.draft import Draft
from hwsim.interchange.reading.stored import codes_of
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams

BIAS = IntFormat(bits=32)
_SAME_SCALE = 2.0**-20  # exporters round the product of the scales differently


def product_grid(ifmap: QuantParams, weight: QuantParams) -> QuantParams:
    """Return the int32 grid of biases ``[n]``: scale ``f32(ifmap scale * weight scale)``, zero point 0 (QLinearConv's text).

    The scales are those of the integers that are multiplied, which for decoded formats are not those of the codes.
    """
    scales = ifmap.operand_scales() * weight.operand_scales()
    return QuantParams(
        format=BIAS,
        scale=tuple(scales.tolist()),
        zero_point=(0,) * scales.size,
        granularity=PER_TENSOR if scales.size == 1 else Granularity(axis=0),
    )


def bias_of(draft: Draft, layer: str, ifmap: str, weight: str, bias: str, axis: int) -> str:
    """Return the bias ``[n]`` of a product, on the grid of the product where both operands are codes.

    A bias that was dequantized with another scale is encoded again, with a note; a real-valued one stays as it is, and so does
    any beside floating-point activations of more than 8 bits.

    Args:
        draft: the graph so far.
        layer: name of the product, for the note.
        ifmap: first operand.
        weight: second operand, constant.
        bias: a constant.
        axis: of the output channels in the weight.
    """
    x, w, own = (draft.grids.get(name) for name in (ifmap, weight, bias))
    if x is None or w is None or own is None or x.granularity.axis is not None or bias_stays_real(x):
        return bias
    if w.granularity.axis not in (None, axis) or w.granularity.block is not None:
        return bias
    value = draft.constants[bias]
    grid = product_grid(x, w)
    if own == grid:
        return bias
    given = np.broadcast_to(own.scales(), value.shape).astype(np.float64)
    wanted = np.broadcast_to(grid.scales(), value.shape).astype(np.float64)
    if isinstance(own.format, IntFormat) and own.is_symmetric and (np.abs(given / wanted - 1) <= _SAME_SCALE).all():
        return draft.add_constant(bias, codes_of(value, own.format), grid)
    draft.notes[
        f"the bias of {layer!r} has other scales than its product and is encoded again on the product's int32 grid"
    ] = None
    return draft.add_constant(bias, grid.encode(draft.real(bias)), grid)
