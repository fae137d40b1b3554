"""Shape rules of matrix products and of operators with parameters per channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hwsim.errors import GraphError
from hwsim.interchange.shapes.common import Shape, broadcast, expect_rank, text


def gemm(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """Gemm: x ``[m, k]``, weight ``[k, n]``, bias ``[n]``."""
    x, weight = shapes[0], shapes[1]
    expect_rank(x, 2)
    expect_rank(weight, 2, "the weight")
    if x[1] != weight[0]:
        raise GraphError(f"the input {text(x)} and the weight {text(weight)} (k, n) differ in k")
    if len(shapes) > 2 and shapes[2] != (weight[1],):
        raise GraphError(f"the bias must have shape [{weight[1]}], not {text(shapes[2])}")
    return [(x[0], weight[1])]


def matmul(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """MatMul: numpy's rule, 1-D operands included."""
    a, b = shapes[0], shapes[1]
    if not a or not b:
        raise GraphError("the operands of a matrix product need at least one dimension")
    left = a if len(a) > 1 else (1, *a)
    right = b if len(b) > 1 else (*b, 1)
    if left[-1] != right[-2]:
        raise GraphError(f"the operands {text(a)} and {text(b)} differ in the summed dimension")
    stack = broadcast([left[:-2], right[:-2]]) if len(left) > 2 or len(right) > 2 else ()
    rows = (left[-2],) if len(a) > 1 else ()
    columns = (right[-1],) if len(b) > 1 else ()
    return [(*stack, *rows, *columns)]


def batch_normalization(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """BatchNormalization: x ``[n, c, ...]`` and four parameters ``[c]``."""
    x = shapes[0]
    channels = x[1] if len(x) > 1 else 1
    for shape in shapes[1:]:
        if shape != (channels,):
            raise GraphError(f"scale, bias, mean and variance must have shape [{channels}], not {text(shape)}")
    return [x]


def multi_threshold(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """MultiThreshold: thresholds ``[channels, count]`` or one row for all channels, which lie along ``axis``."""
    x, thresholds = shapes[0], shapes[1]
    expect_rank(thresholds, 2, "the thresholds")
    axis = attributes["axis"]
    if thresholds[0] != 1 and (axis >= len(x) or thresholds[0] != x[axis]):
        raise GraphError(f"thresholds of shape {text(thresholds)} do not fit axis {axis} of the input {text(x)}")
    return [x]


def one_sided(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """PRelu and LayerNormalization: the parameters broadcast to x, which keeps its shape."""
    for shape in shapes[1:]:
        if broadcast([shapes[0], shape]) != shapes[0]:
            raise GraphError(f"parameters of shape {text(shape)} do not broadcast to the input {text(shapes[0])}")
    return [shapes[0]]
