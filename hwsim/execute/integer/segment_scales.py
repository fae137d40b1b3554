"""The scales, zero points and scaler constants of a product whose scales change along k."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.execute.integer.layer import Layer
from hwsim.graph import k_axis
from hwsim.graph.partition import KPartition
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.segments import units


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentScales:
    """What each segment has, in the array's order; columns are all output channels, or 1 where all have the same.

    Args:
        channels: k channels of each segment.
        ifmap_zero: zero point of the ifmap, int64 ``[segments]``.
        weight_zero: zero points of the weights, int64 ``[segments, columns]``.
        real: ``f32(ifmap scale * weight scale)``, float32 ``[segments, columns]``.
        unit: real value of accumulator 1, the fraction bits included, float64 ``[columns]``; of a float32 accumulator 1.
        constants: multiplier and shift, int64 ``[segments, columns]``, one column where the weight's scales do not change
            along k; None of a float32 accumulator.
    """

    channels: tuple[int, ...]
    ifmap_zero: np.ndarray
    weight_zero: np.ndarray
    real: np.ndarray
    unit: np.ndarray
    constants: tuple[np.ndarray, np.ndarray] | None


def segment_scales(layer: Layer) -> SegmentScales:
    """Return the scales of a layer with segments; raise HwsimError where its scaler cannot express their ratios."""
    return layer.remembered("segment scales", lambda: _made(layer))


def _made(layer: Layer) -> SegmentScales:
    partition = layer.segments
    assert partition is not None
    ifmap, weight = layer.grid(0), layer.grid(1)
    own, zero_x = (values[list(partition.ifmap)] for values in (ifmap.operand_scales(), ifmap.zero_points()))
    other, zero_w = (
        _by_segment(layer, partition, weight, values) for values in (weight.operand_scales(), weight.zero_points())
    )
    scaling, unit, constants = layer.datapath.segment_scaling, np.ones(1), None
    if not scaling.is_real:
        changing, shared = own.astype(np.float64)[:, None], other[0].astype(np.float64)
        if len(set(partition.weight)) > 1:
            changing, shared = changing * other.astype(np.float64), np.ones(1)
        unit, ratio = units(changing, np.broadcast_to(_is_used(layer, partition, changing.shape[1]), changing.shape))
        constants = scaling.constants(ratio)
        unit = np.ldexp(unit * shared, -scaling.fraction)
    return SegmentScales(
        channels=partition.segments,
        ifmap_zero=zero_x,
        weight_zero=zero_w,
        real=own[:, None] * other,
        unit=unit,
        constants=constants,
    )


def _by_segment(layer: Layer, partition: KPartition, grid: QuantParams, values: np.ndarray) -> np.ndarray:
    """Return one of the weight's ``values`` (one per scale) for each segment and column, ``[segments, columns]``."""
    granularity, which = grid.granularity, list(partition.weight)
    if granularity.groups is not None:  # [columns, groups], or [1, groups]
        return values.reshape(-1, granularity.group_count)[:, which].T
    if granularity.block is not None:
        shape = granularity.scale_shape(layer.tensor(1).shape)
        blocks = values.reshape(shape[0], -1)  # [columns, blocks] of a 1 x 1 kernel, [blocks, columns] of a matrix
        return (blocks.T if layer.node.op == "Conv" else blocks)[which]
    return np.broadcast_to(values, (len(which), values.size))


def _is_used(layer: Layer, partition: KPartition, columns: int) -> np.ndarray:
    """Whether a segment has a weight other than 0 in a column, bool ``[segments, columns]``; True where that is not known.

    One column stands for all: there a segment counts that has such a weight anywhere.
    """
    weight, grid = layer.tensor(1), layer.grid(1)
    if not weight.is_constant:
        return np.ones((1, 1), bool)
    codes = weight.encoded()
    operands = codes if isinstance(grid.format, IntFormat) else grid.format.operands(codes)
    nonzero = operands != grid.granularity.spread(grid.zero_points(), weight.shape)
    along = k_axis(layer.node, weight)
    if layer.node.op in ("Conv", "ConvTranspose"):
        nonzero = nonzero.any(axis=(2, 3))
    channels = np.moveaxis(nonzero, along, 0).reshape(nonzero.shape[along], -1)
    if columns == 1:
        channels = channels.any(axis=1, keepdims=True)
    sizes = np.array(partition.segments)
    return np.logical_or.reduceat(channels[np.asarray(partition.order)], np.cumsum(sizes) - sizes, axis=0)
