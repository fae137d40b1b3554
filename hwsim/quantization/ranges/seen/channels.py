"""Mean and variance of every channel, then a histogram in which each channel counts by the inverse of its variance."""

from __future__ import annotations

import numpy as np

from hwsim.quantization.ranges.seen.distribution import Distribution
from hwsim.quantization.ranges.seen.histogram import BINS, limit_for, of_counts
from hwsim.quantization.ranges.seen.rows import channel_axis


class Channels:
    """Takes two passes over the same values: ``update`` for all of them, then ``update_again`` for all of them.

    One grid serves all channels, so the error of a value depends on the value only, and the mean over channels of
    ``MSE_c / var_c`` is a sum over one histogram: memory does not grow with the number of channels times bins.
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean = np.zeros(1)
        self.squares = np.zeros(1)  # sum of squared differences from the mean
        self.peak = 0.0
        self.weighted = np.zeros(BINS)
        self.zeros = 0.0  # their weight

    def update(self, values: np.ndarray, peak: float) -> None:
        """Add values to the means and variances (Chan, Golub and LeVeque 1979); none is larger than ``peak``."""
        planes = _planes(values)
        count = planes.shape[0] * planes.shape[2]
        mean = planes.mean(axis=(0, 2), dtype=np.float64)
        squares = np.square(planes - mean[:, None]).sum(axis=(0, 2))
        total, shift = self.count + count, mean - self.mean
        self.squares = self.squares + squares + np.square(shift) * (self.count * count / total)
        self.mean = self.mean + shift * (count / total)
        self.count, self.peak = total, max(self.peak, peak)

    @property
    def variance(self) -> np.ndarray:
        """Float64 ``[channels]``."""
        return self.squares / max(self.count, 1)

    def update_again(self, values: np.ndarray) -> None:
        """Add values to the histogram; a channel that never changes has no say."""
        # here, so that whoever only prices a network compiles nothing
        from hwsim.kernels.histogram import count_weighted

        if not self.peak:
            return
        variance = self.variance
        weights = np.divide(
            1.0 / (self.count * variance.size), variance, out=np.zeros_like(variance), where=variance > 0
        )
        planes = _planes(values)
        zeros = float((planes == 0).sum(axis=(0, 2)) @ weights)
        count_weighted(self.weighted, planes, weights, limit_for(self.peak))
        self.weighted[BINS // 2] -= zeros
        self.zeros += zeros

    def distribution(self, minimum: float, maximum: float) -> Distribution:
        """Return the centres of the bins that hold values, with the weight of their channels."""
        return of_counts(np.maximum(self.weighted, 0.0), self.zeros, limit_for(self.peak), minimum, maximum)


def _planes(values: np.ndarray) -> np.ndarray:
    """Return ``values`` as ``[outer, channels, inner]``."""
    if values.ndim < 2:
        return values.reshape(1, 1, -1)
    axis = channel_axis(values.ndim)
    outer = int(np.prod(values.shape[:axis]))
    return values.reshape(outer, values.shape[axis], -1)
