"""Grids of weights: which of them share a scale, which values the grid has, and what the scales are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph import Node, Tensor, k_axis, out_axis
from hwsim.graph.fusion import bias_format, bias_stays_real
from hwsim.hardware.precision import LayerPrecision
from hwsim.numerics.formats import Format, IntFormat, LearnedTable
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.quantization.grid import params_of_ranges
from hwsim.quantization.ranges import Observation, estimator
from hwsim.quantization.tables.codebook import fit_codebook
from hwsim.quantization.tables.exponent import fit_exponent
from hwsim.quantization.tables.rows import Rows, gathered, rows_of, scale_count
from hwsim.quantization.tables.scales import ESTIMATORS, check_estimator, holds_zero, row_scales


def weight_params(node: Node, weight: Tensor, precision: LayerPrecision, *, power_of_two: bool) -> QuantParams:
    """Return the grid of a constant weight by the layer's format, granularity and estimator.

    Raises:
        HwsimError: in the name of the layer, a granularity, symmetry or estimator that the format or operator does not have.
    """
    data = np.asarray(weight.data)
    try:
        granularity = weight_granularity(node, weight, precision)
        parts = rows_of(data, granularity)
        if precision.weight_symmetry == "symmetric":
            return with_dead_rows(_symmetric(parts, granularity, precision, power_of_two=power_of_two), data)
        if not isinstance(precision.weights, IntFormat):
            raise HwsimError(
                f'quantization: {precision.weights} has no zero point; state weight_symmetry = "symmetric", or an integer format'
            )
        ranges = _ranges(parts, scale_count(granularity, data.shape), precision.weights, precision, symmetric=False)
        found = params_of_ranges(
            ranges, precision.weights, symmetric=False, power_of_two=power_of_two, granularity=granularity
        )
        return with_dead_rows(found, data)
    except HwsimError as error:
        raise HwsimError(f"layer {node.name!r}, weight {weight.name!r}: {error}") from None


def weight_granularity(node: Node, weight: Tensor, precision: LayerPrecision) -> Granularity:
    """Return which elements of a weight share a scale: all, those of an output channel, or groups of its input channels.

    A group of all input channels is the output channel. Weights whose scales per channel would not leave the sum over k have
    one scale (``hwsim.graph.out_axis``).

    Raises:
        HwsimError: groups of a transposed convolution, or of a batch of matrices.
    """
    axis, size = out_axis(node, weight), precision.group_size
    if precision.weight_granularity == "tensor" or (axis is None and size is None):
        return PER_TENSOR
    along = k_axis(node, weight)
    if size is None or (axis is not None and size >= weight.shape[along] and node.op != "ConvTranspose"):
        return Granularity(axis=axis)
    if axis is None or node.op == "ConvTranspose":
        raise HwsimError(
            f'quantization: weights of {node.op} {list(weight.shape)} have no groups of k; state weight_granularity = "channel" '
            "for this layer"
        )
    return Granularity.of_runs(along, weight.shape[along], size, by=axis)


def _symmetric(
    parts: Sequence[Rows], granularity: Granularity, precision: LayerPrecision, *, power_of_two: bool
) -> QuantParams:
    number, prunes = precision.weights, precision.pattern is not None
    if isinstance(number, LearnedTable) and number.kind == "codebook":
        check_estimator(number, precision.range)
        book, scales = fit_codebook(parts, number, precision.range, power_of_two=power_of_two, holds_zero=prunes)
        return _params(book, scales, granularity)
    if isinstance(number, LearnedTable):
        check_estimator(number, precision.range)
        number = fit_exponent([parts], number, precision.range, power_of_two=power_of_two)
    if prunes and not holds_zero(number):
        raise HwsimError(f'quantization: {number} does not hold the 0 of pruned weights; state sparsity = "dense"')
    if isinstance(number, IntFormat) and (precision.range not in ESTIMATORS or not number.signed):
        count = sum(part.scale.size for part in parts)
        ranges = _ranges(parts, count, number, precision, symmetric=True)
        return params_of_ranges(ranges, number, symmetric=True, power_of_two=power_of_two, granularity=granularity)
    return _params(number, row_scales(parts, number, precision.range, power_of_two=power_of_two), granularity)


def _params(number: Format, scales: np.ndarray, granularity: Granularity) -> QuantParams:
    found = tuple(scales.tolist())
    return QuantParams(format=number, scale=found, zero_point=(0,) * len(found), granularity=granularity)


def _ranges(
    parts: Sequence[Rows], count: int, number: IntFormat, precision: LayerPrecision, *, symmetric: bool
) -> list[tuple[float, float]]:
    """Return the range of every row, in the order of the scales."""
    estimate = estimator(precision.range)
    found = [(0.0, 0.0)] * count
    for part in parts:
        for row, index in zip(part.values, part.scale.tolist(), strict=True):
            found[index] = estimate(Observation.of(row), number, symmetric)
    return found


def with_dead_rows(grid: QuantParams, data: np.ndarray) -> QuantParams:
    """Return a weight's grid with the scales of its neighbours on rows of zeros, which say nothing of their own.

    The largest scale of a column is the unit of its accumulators and its bias: that of a group of zeros must not be it. A
    row takes the largest scale of its column's other groups, of a column of zeros the largest of the tensor. Grids without 0
    keep theirs, which are next to 0.

    Args:
        grid: without blocks.
        data: the weight, in its shape.
    """
    if grid.granularity.axis is None or not holds_zero(grid.format):
        return grid
    parts = rows_of(data, grid.granularity)
    shape = (-1, grid.granularity.group_count)
    scales = np.asarray(grid.scale).reshape(shape)
    live = gathered(parts, [np.abs(part.values).max(axis=1) for part in parts]).reshape(shape) > 0
    if live.all() or not live.any():
        return grid
    largest = np.where(live, scales, 0.0).max(axis=1, keepdims=True)
    largest = np.where(largest > 0, largest, largest.max())
    return replace(grid, scale=tuple(np.where(live, scales, largest).reshape(-1).tolist()))


def widened_for_bias(ifmap: QuantParams, weight: QuantParams, bias: Tensor) -> QuantParams:
    """Return the weight's grid with scales widened by powers of two until the bias fits its codes.

    A channel whose weights are almost zero (a dead batch-norm channel) has a tiny scale, in whose units the bias would
    overflow; its weights lose nothing that matters, the bias would lose everything. Where a channel has several scales, the
    bias counts in steps of the largest, and all are widened alike.
    """
    if ifmap.scale is None or weight.scale is None or bias_stays_real(ifmap):
        return weight
    scales = weight.scales().astype(np.float64)
    steps = weight.operand_scales().astype(np.float64)
    columns = steps.size if weight.granularity.block is None and weight.granularity.groups is None else 1
    if weight.granularity.by is not None:
        columns = steps.size // weight.granularity.group_count
    largest = np.abs(np.asarray(bias.data, dtype=np.float64)).reshape(-1)
    largest = largest if columns == largest.size else np.full(columns, largest.max())
    least = largest / (float(ifmap.operand_scales().max()) * (bias_format(ifmap, weight).maximum // 2))
    needed = np.ceil(np.log2(np.maximum(least / steps.reshape(columns, -1).max(axis=1), 1.0)))
    wide = scales.reshape(columns, -1) * 2.0 ** needed[:, None]
    return replace(weight, scale=tuple(wide.reshape(-1).tolist()))
