"""Fast twin of ``hwsim.numerics.requantizers.vta_shift``. It never passes to the definition run with wider bounds."""

from __future__ import annotations

import numpy as np

from hwsim.kernels.requantizers._work import Codes, Columns, Terms, shaped
from hwsim.numerics.code_overflow import CodeOverflow
from hwsim.numerics.requantizers._double_rounding import wrap32
from hwsim.numerics.requantizers.vta_shift import register

BEYOND = 1 << 40


def _wrap32(values: np.ndarray) -> np.ndarray:
    return values.astype(np.int32).astype(np.int64)


def requantize(work: Columns) -> Codes:
    """Return codes ``[rows, n]``, and how many results lay below ``low`` and above ``high``, wrapped or not.

    The multiplier is not read.
    """
    low, high = work.low, work.high
    values = _wrap32(work.acc) << np.clip(-work.shift, 0, 32)
    values = _wrap32((values >> np.clip(work.shift, 0, 32)) + wrap32(work.zero_point))
    bottom, top = max(low, -BEYOND), min(high, BEYOND)
    below, above = int((values < bottom).sum()), int((values > top).sum())
    wraps = work.unit.overflow is not CodeOverflow.SATURATE
    start, end = (register(low, high) if wraps else None) or (low - 1, high + 1)
    if low > start:
        np.maximum(values, bottom, out=values)
    if high < end:
        np.minimum(values, top, out=values)
    if low == start or high == end:
        values = ((values - start) & (end - start)) + start
    return values, below, above


def rescale_sum(terms: Terms) -> Codes | None:
    """Return codes of the tensors' shape and the two counts; what 64 bits lose of a sum, 32 bits have lost already."""
    sums = terms.wrapped_total()
    return shaped(requantize(terms.column(sums)), sums.shape)
