"""Real numbers to codes of one grid, element by element; the fast twin of ``QuantParams.encode``."""

from __future__ import annotations

from collections.abc import Callable
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
def _encode(real: Any, scale: Any, low: Any, high: Any, zero_point: Any, codes: Any) -> Any:
    """``codes = clamp(rint(real / scale)) + zero_point``; bounds are those of the steps from the zero point.

    Return how many of the values are infinite or not numbers.
    """
    odd = 0
    for i in range(len(real)):
        steps = np.rint(real[i] / scale)
        bounded = min(steps, high) if steps > low else low  # what is not a number becomes the lowest
        codes[i] = np.int32(bounded) + zero_point
        odd += not abs(real[i]) < np.inf
    return odd


def encode(grid: QuantParams, real: np.ndarray) -> np.ndarray:
    """Return ``grid.encode(real)``, the same codes.

    Compiled where the grid is that of QuantizeLinear up to 16 bits, or one of floating-point numbers.
    """
    number, run = grid.format, integer_encoder(grid)
    is_float = isinstance(number, FloatFormat) and takes(number) and _is_plain(grid)
    if run is None and not is_float:
        return grid.encode(real)
    order = memory_order(real)
    elements = flat(np.asarray(real, np.float32), order)
    elements.flags.writeable = False  # arrays that can be written are a type of their own to numba
    if run is None:
        assert isinstance(number, FloatFormat)
        floats = encode_float(number, elements, grid.scales()[0], saturate=grid.saturate)
        return shown(floats, real.shape, order)
    codes = np.empty(elements.size, grid.storage_dtype)
    run(elements, codes)
    return shown(codes, real.shape, order)


def integer_encoder(grid: QuantParams) -> Callable[[np.ndarray, np.ndarray], int] | None:
    """Return a call that writes the codes of float32 elements and returns how many of these are no finite numbers.

    Both are flat, the elements not writeable. None unless the grid is that of QuantizeLinear up to 16 bits.
    """
    number = grid.format
    if not (isinstance(number, IntFormat) and number.bits <= WIDEST_BITS and _is_plain(grid)):
        return None
    zero_point, scale = grid.zero_point[0], grid.scales()[0]
    low, high = (np.float32(end - zero_point) for end in (number.minimum, number.maximum))

    def run(elements: np.ndarray, codes: np.ndarray) -> int:
        odd: int = _encode(elements, scale, low, high, np.int32(zero_point), codes)
        return odd

    return run


def _is_plain(grid: QuantParams) -> bool:
    in_order = grid.rounding is Rounding.HALF_EVEN and grid.order is QuantOrder.ROUND_THEN_OFFSET
    return in_order and grid.granularity.axis is None
