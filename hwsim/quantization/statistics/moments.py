"""Mean, variance and range of every element of a tensor, and what a clamp makes of a normal distribution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.execute.float32.erf import erf

REACH = 6.0  # deviations that a range covers (Nagel et al. 2019, arXiv:1906.04721)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moments:
    """What is known of a tensor, element by element; float64 arrays of its shape.

    Args:
        mean: expectation, None where unknown.
        variance: of each element over images, None where the mean is.
        low: smallest value to expect.
        high: largest value to expect.
    """

    mean: np.ndarray | None
    variance: np.ndarray | None
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def normal(cls, mean: np.ndarray, variance: np.ndarray) -> Moments:
        """Return the normal distribution of this mean and variance, ``REACH`` deviations wide."""
        reach = REACH * np.sqrt(variance)
        return cls(mean=mean, variance=variance, low=mean - reach, high=mean + reach)

    @classmethod
    def constant(cls, values: np.ndarray) -> Moments:
        """Return what is known of a constant."""
        exact = np.asarray(values, dtype=np.float64)
        return cls(mean=exact, variance=np.zeros_like(exact), low=exact, high=exact)

    @property
    def span(self) -> tuple[float, float]:
        """The range of the whole tensor."""
        return float(self.low.min()), float(self.high.max())

    def clamped(self, low: float | None, high: float | None) -> Moments:
        """Return what a clamp (None is open) makes of it, its elements taken as normal."""
        if low is None and high is None:
            return self
        bottom, top = -np.inf if low is None else low, np.inf if high is None else high
        mean, variance = self.mean, self.variance
        if mean is not None and variance is not None:
            mean, variance = clipped_normal(mean, variance, bottom, top)
        return Moments(
            mean=mean, variance=variance, low=np.clip(self.low, bottom, top), high=np.clip(self.high, bottom, top)
        )


def clipped_normal(mean: np.ndarray, variance: np.ndarray, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance of ``min(max(x, low), high)`` for normal ``x`` (Nagel et al. 2019, arXiv:1906.04721).

    With ``a = (low - mean) / s`` and ``b = (high - mean) / s``: ``E = low P(a) + high (1 - P(b)) + mean (P(b) - P(a)) +
    s (p(a) - p(b))``; of a ReLU, ``low = 0`` and ``high`` infinite, ``mean (1 - P(-mean / s)) + s p(-mean / s)``.

    Args:
        mean: float64, any shape.
        variance: float64 of the same shape; 0 is a constant.
        low: may be minus infinite.
        high: may be infinite.

    >>> mean, variance = clipped_normal(np.zeros(1), np.ones(1), 0.0, np.inf)
    >>> [round(float(value[0]), 6) for value in (mean, variance)]  # 1 / sqrt(2 pi), 1 / 2 - 1 / (2 pi)
    [0.398942, 0.340845]
    """
    spread = variance > 0
    deviation = np.sqrt(np.where(spread, variance, 1.0))
    first, second = np.zeros_like(deviation), np.zeros_like(deviation)
    inside, density, edge = np.ones_like(deviation), np.zeros_like(deviation), np.zeros_like(deviation)
    for bound, sign in ((low, 1.0), (high, -1.0)):
        if not np.isfinite(bound):
            continue
        at = (bound - mean) / deviation
        beyond = 0.5 * (1 + sign * erf(at / np.sqrt(2.0)))  # how much lies on the far side of the bound
        here = sign * np.exp(-0.5 * np.square(at)) / np.sqrt(2 * np.pi)
        first, second = first + bound * beyond, second + bound**2 * beyond
        inside, density, edge = inside - beyond, density + here, edge + at * here
    first = first + mean * inside + deviation * density
    second = second + (mean**2 + deviation**2) * inside + 2 * mean * deviation * density + deviation**2 * edge
    clipped = np.clip(mean, low, high)
    return (
        np.where(spread, first, clipped),
        np.where(spread, np.maximum(second - first**2, 0.0), 0.0),
    )
