"""Fast twin of ``hwsim.numerics.code_overflow`` for int64 results, on whole arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hwsim.kernels.requantizers._work import Codes, Columns
from hwsim.numerics.code_overflow import CodeOverflow, register
from hwsim.numerics.rounding import Rounding

FAR = 1 << 60


def with_overflow(
    work: Columns, rounded: Callable[[Columns, Rounding], Codes | None], rounding: Rounding
) -> Codes | None:
    """Return the codes of ``rounded`` under the overflow of the unit; None where 60 bits do not hold a result.

    The counts are of results beyond the ends, whatever code they became.
    """
    overflow = work.unit.overflow
    if overflow in (None, CodeOverflow.SATURATE):
        return rounded(work, rounding)
    if overflow is CodeOverflow.SATURATE_SYMMETRIC:
        return rounded(replace(work, low=max(work.low, -work.high)), rounding)
    if overflow is CodeOverflow.WRAP_SIGN_MAGNITUDE and work.low >= 0:
        return rounded(work, rounding)
    wide = replace(work, low=-FAR, high=FAR)
    done, truncated = rounded(wide, rounding), rounded(wide, Rounding.FLOOR)
    if done is None or truncated is None or any((*done[1:], *truncated[1:])) or max(-work.low, work.high) >= FAR:
        return None
    values = done[0]
    below, above = values < work.low, values > work.high
    if overflow is CodeOverflow.SATURATE_ZERO:
        codes = np.where(below | above, min(max(0, work.low), work.high), values)
    else:
        codes = np.where(below | above, _wrapped(work, values, truncated[0]), values)
    return codes, int(below.sum()), int(above.sum())


def _wrapped(work: Columns, values: np.ndarray, truncated: np.ndarray) -> np.ndarray:
    """Return what the register keeps of every result, clipped to the codes of a narrow format."""
    start, end = register(work.low, work.high)
    width = (end - start).bit_length()
    saturated = min(work.unit.saturated_bits or 0, width)
    top, negative = 1 << (width - 1), values < 0
    ones = ((1 << max(saturated - 1, 0)) - 1) << (width - max(saturated, 1))
    if work.unit.overflow is CodeOverflow.WRAP:
        bits = values
        if saturated and start == 0:
            bits = bits | (((1 << saturated) - 1) << (width - saturated))
        elif saturated:
            bits = np.where(negative, bits & ~ones | top, (bits | ones) & ~top)
    elif saturated == 0:
        dropped = (truncated >> width & 1).astype(bool)
        inverted = np.where(dropped, ~values | top, ~values & ~top)
        bits = np.where(dropped == (values & top).astype(bool), values, inverted)
    else:
        watched = values & top if saturated == 1 else values >> (width - saturated) & 1
        inverts = watched.astype(bool) != negative if saturated == 1 else watched.astype(bool) == negative
        bits = np.where(inverts, ~values, values)
        bits = np.where(negative, bits & ~ones | top, (bits | ones) & ~top)
    return np.clip((bits - start & (end - start)) + start, work.low, work.high)
