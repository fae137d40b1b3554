"""Float32 scales behind the integer multipliers of a library's test data.

TensorFlow Lite's ``QuantizeMultiplier`` makes ``m = round(f * 2^31)`` of ``input * weight / output``. A graph holds scales, not
multipliers; so this finds float32 numbers that give the same multipliers: one ratio ``input / output`` for all channels and
a weight scale for each. It takes every weight scale of the first channel in turn, which leaves an interval for the ratio, and
keeps those whose interval holds a weight scale for every other channel too.
"""

from __future__ import annotations

import math

import numpy as np

FIRST, LAST = 1 << 23, 1 << 24  # significands of float32
STEP = 1 << 17


def _nearest(values: np.ndarray) -> np.ndarray:
    """Return positive float64 values rounded to 24 bits, as float64."""
    unit = np.exp2(np.floor(np.log2(values)) - 23)
    return np.rint(values / unit) * unit


def _intervals(multipliers: np.ndarray, start: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the intervals of the ratio that are left for weight scales of the first channel from ``start`` on."""
    weights = np.arange(start, start + STEP, dtype=np.float64)
    low, high = (multipliers[0] - 0.5) / weights, (multipliers[0] + 0.5) / weights
    for multiplier in multipliers[1:]:
        weight = _nearest(multiplier / ((low + high) / 2))
        low, high = np.maximum(low, (multiplier - 0.5) / weight), np.minimum(high, (multiplier + 0.5) / weight)
        kept = low < high
        low, high = low[kept], high[kept]
    return low, high


def _quotient(low: float, high: float) -> tuple[float, float] | None:
    """Return two float32 numbers whose quotient lies inside the interval."""
    for start in range(FIRST, LAST, STEP):
        divisors = np.arange(start, start + STEP, dtype=np.float64)
        dividends = _nearest(divisors * ((low + high) / 2))
        quotients = dividends / divisors
        inside = np.flatnonzero((quotients > low) & (quotients < high))
        if inside.size:
            best = inside[np.argmin(np.abs(quotients[inside] - (low + high) / 2))]
            return float(dividends[best]), float(divisors[best])
    return None


def scales_of(multipliers: np.ndarray, shifts: np.ndarray) -> tuple[float, np.ndarray, float] | None:
    """Return input scale, weight scales ``[n]`` and output scale, or None where there are no such float32 numbers.

    Args:
        multipliers: ``[n]``, from 2^30 on.
        shifts: ``[n]``, to the left: the real factor is ``multiplier * 2^(shift - 31)``.
    """
    exact = np.asarray(multipliers, np.float64)
    distinct = np.unique(exact)
    for start in range(FIRST, LAST, STEP):
        low, high = _intervals(distinct, start)
        for index in np.argsort((low - high) / low)[:4]:
            found = _quotient(float(low[index]), float(high[index]))
            if found is not None:
                dividend, divisor = found
                weights = _nearest(exact / (dividend / divisor))
                unit = 2.0 ** -math.floor(math.log2(divisor))
                scaled = np.ldexp(weights, np.asarray(shifts, np.int64) - 31)
                return dividend * unit, scaled, divisor * unit
    return None
