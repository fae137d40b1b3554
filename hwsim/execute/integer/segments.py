"""Array products whose scales change along k: fold by fold, rescaled on the way to the accumulator.

The arithmetic is that of ``hwsim.numerics.segments``; which segments there are tells ``hwsim.graph.partition``.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate as running

import numpy as np

from hwsim.errors import ExecutionError
from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.segment_constant import column_constant, spread
from hwsim.execute.integer.segment_record import fold_scaling, recorded
from hwsim.execute.integer.segment_scales import SegmentScales, segment_scales
from hwsim.execute.integer.sparse import active_products
from hwsim.kernels.mac import Accumulation
from hwsim.kernels.segments import add_scaled
from hwsim.numerics.accumulator import Accumulator
from hwsim.numerics.rounding import Rounding


def segmented_product(
    layer: Layer,
    ifmap: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None,
    accumulate: Callable[..., Accumulation],
) -> np.ndarray:
    """Return the accumulators of ``groups`` products: integers in the units of their columns, or float32.

    Args:
        layer: a layer with segments and a mapping.
        ifmap: integers that enter the multiplier ``[groups, m, k]``, k in the array's order; with ``zero_point``
            ``subtracted`` still with their zero points.
        weight: integers ``[groups, k, n]``, in the same order.
        bias: int64 codes ``[groups, n]`` on the bias's own grid, or None.
        accumulate: ``accumulate_gemm`` with the layer's multiplier, adder tree and psum register.

    Returns:
        ``[groups, m, n]``: int64, or float32 where the scaler is one of floats.

    Raises:
        ExecutionError: a fold of the mapping that crosses from one segment into the next, a sum beyond 64 bits.
    """
    assert layer.mapping is not None
    (groups, m, k), n = ifmap.shape, weight.shape[2]
    scales = segment_scales(layer)
    sizes = np.array(scales.channels) * (k // sum(scales.channels))
    segments = segments_of_folds(layer.node.name, layer.mapping.k_segments, sizes.tolist())
    zero_w = spread(scales.weight_zero, groups, n)
    is_centred = layer.datapath.zero_point == "subtracted"

    def constant() -> np.ndarray | None:
        static = None if is_centred else _static(scales, weight, sizes, zero_w)
        return column_constant(layer, scales, bias, static)

    is_known = layer.tensor(1).is_constant
    joins = layer.remembered("segment constant", constant) if is_known else constant()
    registers = _Registers(layer, scales, (groups, m, n))
    if layer.datapath.bias == "start" and joins is not None:
        registers.preload(joins)
    position = 0
    for length, segment in zip(layer.mapping.k_segments, segments, strict=True):
        part = slice(position, position + length)
        x, w = ifmap[:, :, part], weight[:, part]
        low, high = layer.grid(0).format.operand_range
        if is_centred:
            zero_x = int(scales.ifmap_zero[segment])
            x, w = x - zero_x, w - zero_w[segment][:, None, :].astype(w.dtype)
            low, high = low - zero_x, high - zero_x
        if layer.datapath.zero_gating != "none":
            layer.counters.count(active_products(x, w, layer.datapath.zero_gating, layer.mapping.mac))
        found = accumulate(
            np.ascontiguousarray(x), np.ascontiguousarray(w), [length], accumulator=Accumulator(), a_range=(low, high)
        )
        sums = found.values
        if not is_centred and zero_w[segment].any():
            sums = sums - x.sum(axis=2, dtype=np.int64)[:, :, None] * zero_w[segment][:, None, :]
        registers.add(found, sums, segment)
        position += length
    layer.counters.outputs += registers.held.size
    layer.counters.overflow_outputs += int(np.count_nonzero(registers.overflowed))
    result: np.ndarray = registers.held
    if joins is not None and layer.datapath.bias == "end":
        result = result + joins[:, None, :]
    if layer.on_product is not None:
        added = np.zeros((groups, n), result.dtype) if joins is None else joins
        scaling = fold_scaling(layer, scales, segments, sizes, (groups, n))
        layer.on_product(layer, recorded(layer, scaling, scales, ifmap, weight, added, result, accumulate))
    return result


def segments_of_folds(layer: str, folds: tuple[int, ...], sizes: list[int]) -> list[int]:
    """Return the segment that each fold belongs to.

    Args:
        layer: its name.
        folds: lengths along k.
        sizes: lengths of the segments, in the same order of k.

    Raises:
        ExecutionError: a fold that crosses from one segment into the next.

    >>> segments_of_folds("fc", (2, 1, 2), [3, 2])
    [0, 0, 1]
    """
    found, ends, stop, segment = [], list(running(sizes)), 0, 0
    for length in folds:
        segment += stop == ends[segment]
        stop += length
        if stop > ends[segment]:
            raise ExecutionError(
                f"layer {layer!r}: the fold that ends at k = {stop} crosses the end of a segment at {ends[segment]}; map the "
                "product with its segments (Gemm.segments)"
            )
        found.append(segment)
    return found


def _static(scales: SegmentScales, weight: np.ndarray, sizes: np.ndarray, zero_w: np.ndarray) -> np.ndarray:
    """Return ``- zx sum(w) + K zx zw`` of each segment and column, int64 ``[segments, groups, n]``."""
    sums = np.add.reduceat(weight, np.cumsum(sizes) - sizes, axis=1, dtype=np.int64).transpose(1, 0, 2)
    terms: np.ndarray = scales.ifmap_zero[:, None, None] * (sizes[:, None, None] * zero_w - sums)
    return terms


class _Registers:
    """The accumulators behind the array, and what overflowed on the way to them."""

    def __init__(self, layer: Layer, scales: SegmentScales, shape: tuple[int, int, int]) -> None:
        self.layer, self.scaling = layer, layer.datapath.segment_scaling
        groups, _, n = shape
        self.held = np.zeros(shape, np.float32 if self.scaling.is_real else np.int64)
        self.overflowed = np.zeros(shape, bool)
        self.real = spread(scales.real, groups, n)
        self.constants = [spread(array, groups, n) for array in scales.constants or ()]

    def preload(self, constant: np.ndarray) -> None:
        """Write ``constant [groups, n]`` into the accumulators."""
        rows = np.broadcast_to(constant[:, None, :], self.held.shape)
        if self.scaling.is_real:
            self.held = rows.copy()
        else:
            self._rescaled(rows, np.ones_like(constant), np.zeros_like(constant))

    def add(self, found: Accumulation, sums: np.ndarray, segment: int) -> None:
        """Add the ``sums`` of a fold: what its psum registers hold, and what joined beside them."""
        counters = self.layer.counters
        counters.overflow_events += found.overflow_events
        counters.peak = max(counters.peak, found.peak)
        if found.overflowed is not None:
            self.overflowed |= found.overflowed
        if self.scaling.is_real:
            self.held = self.held + sums.astype(np.float32) * self.real[segment][:, None, :]
        else:
            self._rescaled(sums, *(array[segment] for array in self.constants))

    def _rescaled(self, sums: np.ndarray, multiplier: np.ndarray, shift: np.ndarray) -> None:
        counters, rounding = self.layer.counters, self.scaling.rounding or Rounding.HALF_UP
        done = add_scaled(self.held, sums, multiplier, shift, rounding, self.layer.datapath.accumulator)
        counters.overflow_events += int(np.count_nonzero(done.overflowed))
        counters.peak = max(counters.peak, done.peak)
        self.overflowed |= done.overflowed
        self.held = done.values
