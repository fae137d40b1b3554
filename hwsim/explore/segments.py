"""Least safe register widths of a product whose scales change along k: its sums are rescaled on the way to the accumulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np

from hwsim.execute.integer import Layer
from hwsim.execute.integer.segment_constant import column_constant, spread
from hwsim.execute.integer.segment_scales import SegmentScales, segment_scales
from hwsim.execute.integer.segments import segments_of_folds
from hwsim.explore.operands import Operands
from hwsim.graph import Graph, Node
from hwsim.hardware import Accelerator
from hwsim.mapping.mapping import Mapping
from hwsim.numerics.bounds import fold_ranges
from hwsim.numerics.formats import bits_for_range
from hwsim.numerics.rounding import Rounding, rounding_shift

Widths = dict[str, int | None]


def segmented_layer(graph: Graph, node: Node, accelerator: Accelerator, mapping: Mapping) -> Layer | None:
    """Return the layer of a product with segments, else None.

    Where the one scale of the ifmap is not known yet any will do: it cancels in the ratios.
    """
    layer = Layer.of(graph, node, accelerator, mapping)
    ifmap = layer.tensor(0).quant
    if layer.segments is None or ifmap is None or ifmap.is_calibrated:
        return None if layer.segments is None else layer
    known = replace(ifmap, scale=ifmap.scale or (1.0,), is_found_at_run_time=False)
    return replace(layer, grids={node.inputs[0]: known}, memory={})


def segmented_psum(layer: Layer, operands: Operands, widths: Callable[[Operands, np.ndarray], Widths]) -> Widths:
    """Return the widest of what each segment asks of the psum register.

    Args:
        layer: with segments, and a mapping.
        operands: of the whole product; the range of its activations is replaced by that of each segment.
        widths: the widths of one register for operands and folds.
    """
    found = [
        widths(replace(operands, a_range=a_range, columns=columns), folds)
        for folds, a_range, columns in _segments(layer, operands)
    ]
    widest: Widths = {}
    for name in found[0]:
        known = [bits for one in found if (bits := one[name]) is not None]
        widest[name] = max(known) if len(known) == len(found) else None
    return widest


def segmented_accumulator(layer: Layer, operands: Operands) -> Widths:
    """Return the width of the accumulator by the formats and by these weights; empty where it holds float32.

    Each fold adds the rescaled ends of its range, so that every sum on the way lies between the sums of those ends.
    Multipliers that are not exact are not followed: nothing is promised of them.
    """
    scales = segment_scales(layer)
    if scales.constants is None or not layer.multiplier.is_exact:
        return {}
    outputs = scales.weight_zero.shape[1] if operands.columns is None else operands.columns.shape[1]
    multiplier, shift = (spread(array, 1, outputs)[:, 0] for array in scales.constants)
    counted = operands.columns is not None and operands.start is not None
    start = _start(layer, scales, operands.columns) if counted else np.zeros(outputs, object)
    zero_w = spread(scales.weight_zero, 1, outputs)[:, 0]
    ends = {"data_type": np.stack([start, start]), "exact": np.stack([start, start])}
    for segment, (folds, (low, high), columns) in enumerate(_segments(layer, operands)):
        for name, columns_of in (("data_type", None), ("exact", columns)):
            if columns_of is None:
                ranges = _type_ranges(layer, operands, folds, (low, high), outputs)
            else:
                centred = columns_of - (0 if layer.datapath.zero_point == "subtracted" else zero_w[segment])
                ranges = fold_ranges(centred, folds, low, high)
            for terms in zip(*(part.reshape(len(folds), -1) for part in ranges), strict=True):
                scaled = [_rescaled(layer, term, multiplier[segment], shift[segment]) for term in terms]
                ends[name] = ends[name] + [np.minimum(*scaled), np.maximum(*scaled)]
    return {name: bits_for_range(int(low.min()), int(high.max())) for name, (low, high) in ends.items()}


def _segments(layer: Layer, operands: Operands) -> Iterator[tuple[np.ndarray, tuple[int, int], np.ndarray | None]]:
    """Yield the folds of each segment, the range of its activations, and its weights ``[k, outputs]``."""
    assert layer.mapping is not None
    scales, folds = segment_scales(layer), layer.mapping.k_segments
    sizes = np.array(scales.channels) * (layer.mapping.gemm.k // sum(scales.channels))
    owners = np.array(segments_of_folds(layer.node.name, folds, sizes.tolist()))
    low, high = layer.grid(0).format.operand_range
    bounds = np.cumsum([0, *sizes]).tolist()
    for segment, (start, stop) in enumerate(pairwise(bounds)):
        zero_x = int(scales.ifmap_zero[segment]) if layer.datapath.zero_point == "subtracted" else 0
        a_range = operands.a_range if len(layer.grid(0).zero_point) == 1 else (low - zero_x, high - zero_x)
        columns = None if operands.columns is None else operands.columns[start:stop]
        yield np.array(folds)[owners == segment], a_range, columns


def _type_ranges(
    layer: Layer, operands: Operands, folds: np.ndarray, a_range: tuple[int, int], outputs: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of each fold's sum for any weights of the format, their zero point accounted for, ``[folds, outputs]``."""
    number = operands.weight
    low, high = number.minimum, number.maximum
    if layer.datapath.zero_point == "folded":
        zeros = layer.grid(1).zero_points()
        low, high = low - int(zeros.max()), high - int(zeros.min())
    corners = [x * w for x in (*a_range, 0) for w in (low, high)]
    shape = (len(folds), outputs)
    lowest, highest = (folds.astype(object)[:, None] * end for end in (min(corners), max(corners)))
    return np.broadcast_to(lowest, shape), np.broadcast_to(highest, shape)


def _rescaled(layer: Layer, values: np.ndarray, multiplier: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Return the terms of sums ``[outputs]`` as Python ints."""
    rounding = layer.datapath.segment_scaling.rounding or Rounding.HALF_UP
    terms = [
        rounding_shift(int(value) * int(factor), int(places), rounding)
        for value, factor, places in zip(values, multiplier, shift, strict=True)
    ]
    return np.array(terms, object)


def _start(layer: Layer, scales: SegmentScales, columns: np.ndarray | None) -> np.ndarray:
    """Return what the accumulators hold at first, as Python ints ``[outputs]``."""
    assert columns is not None
    outputs = columns.shape[1]
    none = np.zeros(outputs, object)
    if layer.datapath.bias == "end":
        return none
    static = None
    if layer.datapath.zero_point == "folded":
        sizes = np.array(scales.channels) * (len(columns) // sum(scales.channels))
        sums = np.add.reduceat(columns, np.cumsum(sizes) - sizes, axis=0)
        zeros = sizes[:, None] * spread(scales.weight_zero, 1, outputs)[:, 0]
        static = (scales.ifmap_zero[:, None] * (zeros - sums))[:, None, :]
    bias = layer.tensor(2).encoded().astype(np.int64) if layer.has_input(2) else None
    codes = None if bias is None else np.broadcast_to(bias.reshape(1, -1), (1, outputs))
    constant = column_constant(layer, scales, codes, static)
    return none if constant is None else constant[0].astype(object)
