"""The scales, zero points and scaler constants of a product whose scales change along k."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.execute.integer.layer import Layer
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
    if grid.granularity.axis is None:
        return np.broadcast_to(values, (len(partition.segments), 1))
    return _channels_first(layer, grid.granularity.spread(values, layer.tensor(1).shape))[_starts(partition)]


def _is_used(layer: Layer, partition: KPartition, columns: int) -> np.ndarray:
    """Whether a segment has a weight other than 0 in a column, bool ``[segments, columns]``; True where that is not known."""
    weight, grid = layer.tensor(1), layer.grid(1)
    is_known = weight.is_constant and columns > 1
    if not is_known:
        return np.ones((1, 1), bool)
    codes = weight.encoded()
    operands = codes if isinstance(grid.format, IntFormat) else grid.format.operands(codes)
    nonzero = operands != grid.granularity.spread(grid.zero_points(), weight.shape)
    channels = _channels_first(layer, nonzero.any(axis=tuple(range(2, nonzero.ndim)), keepdims=True))
    sizes = np.array(partition.segments)
    order = np.asarray(partition.order)
    return np.logical_or.reduceat(channels[order], np.cumsum(sizes) - sizes, axis=0)


def _starts(partition: KPartition) -> np.ndarray:
    """Return the first channel of each segment."""
    sizes = np.array(partition.segments)
    return np.asarray(partition.order)[np.cumsum(sizes) - sizes]


def _channels_first(layer: Layer, values: np.ndarray) -> np.ndarray:
    """Return what a weight of this layer holds per channel and column, ``[channels, columns]``.

    Args:
        layer: its operator.
        values: of the weight's rank; axes that are neither of channels nor of columns have one element that counts, and an
            axis along which nothing changes may have length 1.
    """
    shape = layer.tensor(1).shape
    if len(shape) == 1:
        return np.broadcast_to(values, shape)[:, None]
    both = np.broadcast_to(values, (*shape[:2], *values.shape[2:])).reshape(*shape[:2], -1)[:, :, 0]
    return both.T if layer.node.op == "Conv" else both
