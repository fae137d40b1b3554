"""Fast twin of ``hwsim.numerics.requantizers.float64``."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.kernels.cache import kernel
from hwsim.kernels.requantizers._work import Codes, Columns, Terms

EXACT_IN_FLOAT64 = 1 << 53


@kernel
def _rounded(real: Any, zero_point: Any, low: Any, high: Any, codes: Any) -> Any:
    """Write the codes of float64 ``real [count]``, halves away from zero; return how many were clipped at either end."""
    floor, ceiling = np.float64(low - zero_point), np.float64(high - zero_point)
    below, above = 0, 0
    for i in range(real.size):
        whole = np.trunc(real[i])
        if abs(real[i] - whole) >= 0.5:
            whole += np.copysign(1.0, real[i])
        below += whole < floor
        above += whole > ceiling
        codes[i] = np.int64(min(max(whole, floor), ceiling)) + zero_point
    return below, above


def requantize(work: Columns) -> Codes | None:
    """Return codes ``[rows, n]`` and the two clip counts; None where bounds pass float64's 53 bits."""
    return _codes(work.acc.astype(np.float64) * work.multiplier, work.zero_point, work.low, work.high)


def rescale_sum(terms: Terms) -> Codes | None:
    """Add in operand order, every operation rounded to float64; None where bounds pass its 53 bits."""
    arrays, ratios = terms.tensors, terms.constants.multiplier
    total = arrays[0].astype(np.float64) * ratios[0]
    for array, ratio in zip(arrays[1:], ratios[1:], strict=True):
        total += array.astype(np.float64) * ratio
    return _codes(total, terms.zero_point, terms.low, terms.high)


def _codes(real: np.ndarray, zero_point: int, low: int, high: int) -> Codes | None:
    if max(abs(low), abs(high), abs(low - zero_point), abs(high - zero_point)) > EXACT_IN_FLOAT64:
        return None
    codes = np.empty(real.size, np.int64)
    below, above = _rounded(np.ascontiguousarray(real).reshape(-1), zero_point, low, high, codes)
    return codes.reshape(real.shape), int(below), int(above)
