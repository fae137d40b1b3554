"""The grid of a bias: integers in units of the product that they join."""

from __future__ import annotations

import numpy as np

from hwsim.graph.tensor import Tensor
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams

NARROW_BIAS, WIDE_BIAS = IntFormat(bits=32), IntFormat(bits=64)
NARROW_OPERAND_BITS = 20  # of both operands together; TensorFlow Lite's 16-bit activations by 8-bit weights take 64


def bias_format(ifmap: QuantParams, weight: QuantParams) -> IntFormat:
    """Return the bias codes' format: int32, or int64 for operands so wide that their unit is too fine for 32 bits."""
    return NARROW_BIAS if ifmap.format.bits + weight.format.bits <= NARROW_OPERAND_BITS else WIDE_BIAS


def bias_params(ifmap: QuantParams, weight: QuantParams, bias: Tensor) -> QuantParams:
    """Return the grid of a bias (see ``bias_format``): scale ``ifmap scale * weight scale``, zero point 0."""
    number = bias_format(ifmap, weight)
    if ifmap.scale is None or weight.scale is None:
        return QuantParams(format=number)
    scales = (ifmap.operand_scales() * weight.operand_scales()).astype(np.float32)
    granularity = PER_TENSOR if scales.size == 1 else Granularity(axis=len(bias.shape) - 1)
    return QuantParams(
        format=number,
        scale=tuple(float(scale) for scale in scales),
        zero_point=(0,) * scales.size,
        granularity=granularity,
    )
