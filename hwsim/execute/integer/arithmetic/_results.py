"""What the conventions share: codes clipped into the result's range and counted, and functions of one code as tables."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwsim.execute.float32.activation import clamp
from hwsim.execute.integer.layer import Layer
from hwsim.execute.integer.lookup import TABLE_BITS
from hwsim.execute.integer.requantize import code_range, counted
from hwsim.kernels.lookup import lookup
from hwsim.kernels.requantize import Requantized, code_dtype
from hwsim.numerics.formats import IntFormat


def stored(layer: Layer, wide: np.ndarray, bounds: tuple[int, int] | None = None) -> np.ndarray:
    """Return codes in the result's storage type: integral values of any size, clipped to ``bounds`` and counted.

    Args:
        layer: whose result they are.
        wide: integers, or float32 that holds integers, zero point included.
        bounds: smallest and largest code; without them the format's range, cut by the fused clamp.
    """
    low, high = code_range(layer.output_grid(), layer.node.clamp) if bounds is None else bounds
    below, above = int((wide < low).sum()), int((wide > high).sum())
    codes = np.clip(wide, low, high).astype(code_dtype(low, high))
    return counted(layer, Requantized(codes=codes, clipped_low=below, clipped_high=above))


def table_of(layer: Layer, index: int, codes: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return ``quantize(function(dequantize(code)))`` of input ``index``: float32 in between, each code computed once.

    A fused clamp acts on the real values. Wide, per-channel and non-integer grids are computed element by element.
    """
    grid, output = layer.grid(index), layer.output_grid()
    number = grid.format
    if not isinstance(number, IntFormat) or number.bits > TABLE_BITS or grid.granularity.axis is not None:
        return output.encode(clamp(function(grid.decode(codes)), *layer.node.clamp))

    def entries() -> np.ndarray:
        every = np.arange(number.minimum, number.maximum + 1)
        return output.encode(clamp(function(grid.decode(every)), *layer.node.clamp))

    return lookup(codes, layer.remembered(f"table of input {index}", entries), number.minimum)
