"""A histogram whose range doubles as needed."""

from __future__ import annotations

import numpy as np

from hwsim.quantization.ranges.seen.distribution import Distribution

BINS = 8192


class Histogram:
    """Counts in ``BINS`` equal bins of ``[-limit, limit)``.

    ``limit`` is a power of two; when a value lies outside, it doubles and neighbouring bins merge. So memory stays
    constant, no value is lost, and the counts do not depend on how values were cut into batches. Zeros, which a ReLU makes
    of half of the values and which every grid holds exactly, are counted apart.
    """

    def __init__(self) -> None:
        self.limit = 0.0
        self.counts = np.zeros(BINS, dtype=np.int64)
        self.zeros = 0

    def update(self, values: np.ndarray, peak: float) -> None:
        """Add values (any shape, finite), none of which is larger in magnitude than ``peak``."""
        from hwsim.kernels.histogram import count  # here, so that whoever only prices a network compiles nothing

        self.limit = widened(self, peak)
        zeros = values.size - int(np.count_nonzero(values))
        self.zeros += zeros
        if peak:
            count(self.counts, values, self.limit)
            self.counts[BINS // 2] -= zeros

    def distribution(self, minimum: float, maximum: float) -> Distribution:
        """Return the centres of the bins that hold values, none beyond the extremes seen."""
        return of_counts(self.counts, float(self.zeros), self.limit, minimum, maximum)


def limit_for(peak: float) -> float:
    """Return the least power of two above ``peak``; 0 for 0.

    >>> limit_for(3.0), limit_for(4.0), limit_for(0.0)
    (4.0, 8.0, 0.0)
    """
    return float(2.0 ** np.frexp(peak)[1]) if peak else 0.0


def widened(histogram: Histogram, peak: float) -> float:
    """Return the limit that holds ``peak``, once the counts have merged for it."""
    needed, limit = limit_for(peak), histogram.limit
    if not limit:
        return needed
    while limit < needed:
        merged = histogram.counts.reshape(-1, 2).sum(axis=1)
        histogram.counts[:] = 0
        histogram.counts[BINS // 4 : 3 * BINS // 4] = merged
        limit *= 2
    return limit


def of_counts(counts: np.ndarray, zeros: float, limit: float, minimum: float, maximum: float) -> Distribution:
    """Return the distribution that ``zeros`` and counts in equal bins of ``[-limit, limit)`` stand for."""
    used = np.flatnonzero(counts)
    width = 2 * limit / counts.size
    centres = np.clip((used + 0.5) * width - limit, minimum, maximum)
    middle = int(np.searchsorted(used, counts.size // 2))
    values = np.insert(centres, middle, 0.0)
    return Distribution(values=values, weights=np.insert(counts[used].astype(np.float64), middle, zeros), width=width)
