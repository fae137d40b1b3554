"""AVERAGE_POOL_2D, MAX_POOL_2D, MEAN."""

from __future__ import annotations

import numpy as np

from hwsim.execute.float32.windows import windows
from hwsim.execute.integer import pooling
from hwsim.execute.integer.arithmetic._results import stored
from hwsim.execute.integer.arithmetic.tflite.tensors import activation_range, common_type, scale_and_zero, scale_of
from hwsim.execute.integer.layer import Layer
from hwsim.kernels.pool import sum_pool
from hwsim.numerics.vector.tflite.fixed_point import rescale
from hwsim.numerics.vector.tflite.rescaling import mean_constants


def max_pool(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """MAX_POOL_2D: the largest code, clamped by a fused activation."""
    (codes,) = pooling.max_pool(layer, operands)
    return [codes if layer.node.clamp == (None, None) else stored(layer, codes, activation_range(layer))]


def average_pool(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """AVERAGE_POOL_2D: the sum of codes over their number, halves away from zero; both tensors are on one grid.

    Where they are not, or where padding counts, LiteRT has no kernel and ``native`` holds.
    """
    same_grid = common_type(layer) is not None and scale_and_zero(layer.grid(0)) == scale_and_zero(layer.output_grid())
    if not same_grid or layer.node.attributes["count_include_pad"]:
        return pooling.average_pool(layer, operands)
    (codes,) = operands
    w = windows(layer.node, codes.shape[2], codes.shape[3])
    sums, counts = sum_pool(codes, w.kernel, w.strides, w.dilations, (*w.before, *w.after), *w.count)
    half = counts // 2
    wide = np.where(sums > 0, (sums + half) // counts, -((half - sums) // counts))
    return [stored(layer, wide, activation_range(layer))]


def mean(layer: Layer, operands: list[np.ndarray]) -> list[np.ndarray]:
    """MEAN: the sum of centred codes, rescaled once by a multiplier that holds the division."""
    codes, node = operands[0], layer.node
    if common_type(layer) is None:
        return (pooling.reduce_mean if node.op == "ReduceMean" else pooling.global_average_pool)(layer, operands)
    axes = tuple(node.attributes["axes"]) if node.op == "ReduceMean" else tuple(range(2, codes.ndim))
    keepdims = bool(node.attributes["keepdims"]) if node.op == "ReduceMean" else True
    count = int(np.prod([codes.shape[axis] for axis in axes]))
    sums = layer.centred(0, codes).sum(axis=axes, keepdims=keepdims)
    output = layer.output_grid()
    constants = mean_constants(scale_of(layer.grid(0)), scale_of(output), count)
    return [stored(layer, rescale(sums, *constants) + output.zero_point[0], activation_range(layer))]


OPERATORS = {"MaxPool": max_pool, "AveragePool": average_pool, "ReduceMean": mean, "GlobalAveragePool": mean}
