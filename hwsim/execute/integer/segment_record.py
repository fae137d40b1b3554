"""The record of a product whose folds are rescaled, for whoever checks hardware against it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.product import ArrayProduct, FoldScaling
from hwsim.execute.integer.segment_constant import spread
from hwsim.execute.integer.segment_scales import SegmentScales
from hwsim.kernels.mac import Accumulation


def fold_scaling(
    layer: Layer, scales: SegmentScales, segments: list[int], sizes: np.ndarray, columns: tuple[int, int]
) -> FoldScaling:
    """Return what the sum of each fold meets.

    Args:
        layer: with segments.
        scales: of its segments.
        segments: the one that each fold lies in.
        sizes: products along k of each segment.
        columns: groups and columns of the product.
    """
    zero_w = spread(scales.weight_zero, *columns)
    constants = [spread(values, *columns) for values in scales.constants or ()]
    return FoldScaling(
        segments=tuple(segments),
        lengths=tuple(sizes.tolist()),
        weight_zero_point=np.zeros_like(zero_w) if layer.datapath.zero_point == "subtracted" else zero_w,
        constants=(constants[0], constants[1]) if constants else None,
        scale=spread(scales.real, *columns),
    )


def recorded(
    layer: Layer,
    scaling: FoldScaling,
    scales: SegmentScales,
    ifmap: np.ndarray,
    weight: np.ndarray,
    constant: np.ndarray,
    sums: np.ndarray,
    accumulate: Callable[..., Accumulation],
) -> ArrayProduct:
    """Return the record; operands and ``accumulate`` are those of ``segmented_product``, which see."""
    low, high = layer.grid(0).format.operand_range
    if layer.datapath.zero_point == "subtracted":
        low, high = low - int(scales.ifmap_zero.max()), high - int(scales.ifmap_zero.min())
        zero_w = spread(scales.weight_zero, *constant.shape)
        ifmap = ifmap - np.repeat(scales.ifmap_zero, scaling.lengths)
        weight = weight - np.repeat(zero_w, scaling.lengths, axis=0).transpose(1, 0, 2)
    return ArrayProduct(
        ifmap=ifmap,
        weight=weight,
        constant=constant,
        weight_zero_point=np.zeros_like(scaling.weight_zero_point[0]),
        sums=sums,
        accumulate=partial(accumulate, a_range=(low, high)),
        scaling=scaling,
    )
