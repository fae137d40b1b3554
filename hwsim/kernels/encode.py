"""Real numbers to codes of one grid, element by element; the fast twin of ``QuantParams.encode``."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.kernels.encode_float import encode_float, takes
from hwsim.kernels.layout import flat, memory_order, shown
from hwsim.numerics.formats import FloatFormat, IntFormat
from hwsim.numerics.quant_params import QuantOrder, QuantParams
from hwsim.numerics.rounding import Rounding

WIDEST_BITS = 16


@kernel
def _encode(real: Any, scale: Any, low: Any, high: Any, zero_point: Any, codes: Any) -> None:
    """``codes = clamp(rint(real / scale)) + zero_point``; bounds are those of the steps from the zero point."""
    for i in range(len(real)):
        steps = np.rint(real[i] / scale)
        bounded = min(steps, high) if steps > low else low  # what is not a number becomes the lowest
        codes[i] = np.int32(bounded) + zero_point


def encode(grid: QuantParams, real: np.ndarray) -> np.ndarray:
    """Return ``grid.encode(real)``, the same codes.

    Compiled where the grid is that of QuantizeLinear up to 16 bits, or one of floating-point numbers.
    """
    number, is_plain = grid.format, grid.rounding is Rounding.HALF_EVEN and grid.order is QuantOrder.ROUND_THEN_OFFSET
    is_narrow = isinstance(number, IntFormat) and number.bits <= WIDEST_BITS
    is_float = isinstance(number, FloatFormat) and takes(number)
    if not ((is_narrow or is_float) and is_plain and grid.granularity.axis is None):
        return grid.encode(real)
    zero_point, order = grid.zero_point[0], memory_order(real)
    elements = flat(np.asarray(real, np.float32), order)
    elements.flags.writeable = False  # arrays that can be written are a type of their own to numba
    if isinstance(number, FloatFormat):
        floats = encode_float(number, elements, grid.scales()[0], saturate=grid.saturate)
        return shown(floats, real.shape, order)
    assert isinstance(number, IntFormat)
    codes = np.empty(elements.size, grid.storage_dtype)
    low, high = (np.float32(end - zero_point) for end in (number.minimum, number.maximum))
    _encode(elements, grid.scales()[0], low, high, np.int32(zero_point), codes)
    return shown(codes, real.shape, order)
