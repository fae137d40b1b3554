"""From accumulators to output codes: constants from the grids, the machine's requantizer, the fused clamp."""

from __future__ import annotations

import numpy as np

from hwsim.execute.integer.layer import Layer
from hwsim.kernels.requantize import Requantized, requantize
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.requantizers import definition


def code_range(grid: QuantParams, clamp: tuple[float | None, float | None]) -> tuple[int, int]:
    """Return the smallest and largest output code: the format's range, cut by a fused clamp.

    A clamp end in real units becomes the code that encodes it (round half to even), as QuantizeLinear would.
    """
    low, high = (None if end is None else int(grid.encode(np.array([end], dtype=np.float32))[0]) for end in clamp)
    return grid.integers.minimum if low is None else low, grid.integers.maximum if high is None else high


def to_codes(layer: Layer, sums: np.ndarray, real_scale: np.ndarray) -> np.ndarray:
    """Return the output codes of ``sums``.

    Args:
        layer: whose requantizer, output grid and clamp apply.
        sums: int64 ``[..., n]``, centred on real 0.
        real_scale: float64 ``[n]`` or ``[1]``, output codes per accumulator unit.
    """
    unit = layer.requantizer
    grid = layer.output_grid()
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
    low, high = code_range(grid, layer.node.clamp)
    return np.clip(sums.astype(grid.storage_dtype), low, high)
