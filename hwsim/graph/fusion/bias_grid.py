"""The grid of a bias: integers in units of the product that they join, or real numbers beside floating-point activations."""

from __future__ import annotations

import numpy as np

from hwsim.graph.tensor import Tensor
from hwsim.numerics.formats import FloatFormat, IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams

NARROW_BIAS, WIDE_BIAS = IntFormat(bits=32), IntFormat(bits=64)
FP8_BITS = 8
NARROW_OPERAND_BITS = 20  # of both operands together; TensorFlow Lite's 16-bit activations by 8-bit weights take 64


def bias_stays_real(ifmap: QuantParams) -> bool:
    """Whether a bias beside such an ifmap is kept in fp32: steps of fp16 or bf16 are too fine to count its integers in.

    Sums of fp8 products are short enough for integers, as files of fp8 networks have them.
    """
    return isinstance(ifmap.format, FloatFormat) and ifmap.format.bits > FP8_BITS


def bias_format(ifmap: QuantParams, weight: QuantParams) -> IntFormat:
    """Return the bias codes' format: int32, or int64 for operands so wide that their unit is too fine for 32 bits."""
    return NARROW_BIAS if ifmap.format.bits + weight.format.bits <= NARROW_OPERAND_BITS else WIDE_BIAS


def bias_params(ifmap: QuantParams, weight: QuantParams, bias: Tensor) -> QuantParams:
    """Return the grid of a bias (see ``bias_format``): scale ``ifmap scale * weight scale``, zero point 0.

    Where scales change along k each column takes the largest that it has: its accumulators count in no coarser unit.
    One that stays real is on the grid of fp32 numbers.
    """
    if bias_stays_real(ifmap):
        return QuantParams(format=FloatFormat.parse("fp32"), scale=(1.0,), saturate=False)
    number = bias_format(ifmap, weight)
    if ifmap.scale is None or weight.scale is None:
        return QuantParams(format=number)
    largest = ifmap.operand_scales().max()
    scales = (largest * _per_column(weight, bias)).astype(np.float32)
    granularity = PER_TENSOR if scales.size == 1 else Granularity(axis=len(bias.shape) - 1)
    return QuantParams(
        format=number,
        scale=tuple(float(scale) for scale in scales),
        zero_point=(0,) * scales.size,
        granularity=granularity,
    )


def _per_column(weight: QuantParams, bias: Tensor) -> np.ndarray:
    """Return the largest scale of each column of a weight, ``[n]`` or, where all have one, ``[1]``."""
    scales, grid = weight.operand_scales(), weight.granularity
    if grid.block is not None:  # [k blocks, n] of a matrix, [n, k blocks, ...] of a kernel
        blocks = scales.reshape((-1, bias.size) if grid.axis == 0 else (bias.size, -1))
        return np.asarray(np.abs(blocks).max(axis=grid.axis))
    if grid.groups is not None:
        return np.asarray(scales.reshape(-1, grid.group_count).max(axis=1))
    return scales
