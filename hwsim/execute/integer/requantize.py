"""From accumulators to output codes: constants from the grids, the machine's requantizer, the fused clamp."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.positions import image_grid
from hwsim.kernels.requantize import Requantized, requantize
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.requantizers import definition


def code_range(grid: QuantParams, clamp: tuple[float | None, float | None]) -> tuple[int, int]:
    """Return the smallest and largest output code: the format's range, cut by a fused clamp.

    A clamp end in real units becomes the code that encodes it (round half to even), as QuantizeLinear would.
    """
    low, high = (None if end is None else int(grid.encode(np.array([end], dtype=np.float32))[0]) for end in clamp)
    return grid.integers.minimum if low is None else low, grid.integers.maximum if high is None else high


def per_column(grid: QuantParams, values: np.ndarray) -> np.ndarray:
    """Return one of ``values`` (one per scale) for each column of an array product's sums.

    Args:
        grid: of the product's result, with scales along its channels (``leaves_columns``).
        values: ``[scales]``.
    """
    groups = grid.granularity.groups
    return values if groups is None else values[list(groups)]


def column_grid(layer: Layer, rank: int) -> QuantParams:
    """Return the grid of a product's result as that of sums of ``rank`` dimensions, whose columns stand last.

    Sums that are rescaled by position already have the result's dimensions.
    """
    grid = layer.output_grid()
    if grid.granularity.axis is None or layer.is_rescaled_by_position:
        return grid
    scales, zeros = (per_column(grid, values) for values in (grid.scales(), grid.zero_points()))
    return replace(
        grid,
        scale=tuple(scales.tolist()),
        zero_point=tuple(zeros.tolist()),
        granularity=Granularity(axis=rank - 1),
    )


def grids_of_columns(grid: QuantParams) -> Iterator[tuple[QuantParams, np.ndarray]]:
    """Yield each pair of scale and zero point as a grid of its own, with the columns (indices) of a product that have it."""
    pairs = list(zip(grid.scales().tolist(), grid.zero_points().tolist(), strict=True))
    numbers = {pair: number for number, pair in enumerate(sorted(set(pairs)))}
    which = per_column(grid, np.array([numbers[pair] for pair in pairs]))
    runs = np.split(np.argsort(which, kind="stable"), np.cumsum(np.bincount(which))[:-1])
    for (scale, zero), columns in zip(numbers, runs, strict=True):
        yield replace(grid, scale=(scale,), zero_point=(zero,), granularity=PER_TENSOR), columns


def to_codes(layer: Layer, sums: np.ndarray, real_scale: np.ndarray) -> np.ndarray:
    """Return the output codes of ``sums``.

    Args:
        layer: whose requantizer, output grid and clamp apply; of an array product the grid may change from column to
            column, of a MatMul with every element of an image.
        sums: int64 ``[..., n]``, centred on real 0.
        real_scale: float64 ``[n]`` or ``[1]``, output codes per accumulator unit; of sums ``[images, ..., m, n]`` also what
            broadcasts over them, one for all images.
    """
    if real_scale.ndim < 2:
        return _of_columns(layer, layer.output_grid(), sums, real_scale)
    image = sums.shape[1:]
    ratios = np.broadcast_to(real_scale, (1, *image)).reshape(-1)
    rows = sums.reshape(len(sums), -1)
    return _of_columns(layer, image_grid(layer, image), rows, ratios).reshape(sums.shape)


def _of_columns(layer: Layer, grid: QuantParams, sums: np.ndarray, real_scale: np.ndarray) -> np.ndarray:
    if grid.granularity.axis is None:
        return _on_one_grid(layer, grid, sums, real_scale)
    codes, ratios = np.empty(sums.shape, grid.storage_dtype), np.broadcast_to(real_scale, sums.shape[-1])
    for one, columns in grids_of_columns(grid):
        codes[..., columns] = _on_one_grid(layer, one, sums[..., columns], ratios[columns])
    return codes


def _on_one_grid(layer: Layer, grid: QuantParams, sums: np.ndarray, real_scale: np.ndarray) -> np.ndarray:
    unit = layer.requantizer
    low, high = code_range(grid, layer.node.clamp)
    constants = definition(unit.scheme).constants(np.atleast_1d(real_scale), unit)
    columns = sums.shape[-1] if real_scale.size > 1 else 1
    ends = grid.integers.operand_range
    done = requantize(sums.reshape(-1, columns), constants, unit, grid.zero_point[0], low, high, ends=ends)
    return counted(layer, done).reshape(sums.shape)


def counted(layer: Layer, done: Requantized) -> np.ndarray:
    """Return the codes in their storage type, and count what was clipped."""
    layer.counters.clipped += done.clipped_low + done.clipped_high
    layer.counters.requantized += done.codes.size
    return done.codes.astype(layer.output_grid().storage_dtype, copy=False)


def raw(layer: Layer, sums: np.ndarray) -> np.ndarray:
    """Return accumulators that leave without requantization: the low bits of the output's width, then the fused clamp."""
    grid = layer.output_grid()
    codes = sums.astype(grid.storage_dtype)
    if grid.granularity.axis is None:
        return np.clip(codes, *code_range(grid, layer.node.clamp))
    if layer.is_rescaled_by_position:
        grid, codes = image_grid(layer, sums.shape[1:]), codes.reshape(len(sums), -1)
    for one, columns in grids_of_columns(grid):
        codes[..., columns] = np.clip(codes[..., columns], *code_range(one, layer.node.clamp))
    return codes.reshape(sums.shape)
