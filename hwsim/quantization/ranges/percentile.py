"""The range that leaves out the outermost 0.01 % of the values at each end."""

from __future__ import annotations

import numpy as np

from hwsim.numerics.formats import IntFormat
from hwsim.quantization.ranges.observation import Observation

NEEDS = ("extremes", "histogram")
TAIL = 1e-4


def estimate(observation: Observation, number: IntFormat, symmetric: bool) -> tuple[float, float]:
    """Return the ``TAIL`` and ``1 - TAIL`` quantiles of the values; exact extremes where fewer values were seen."""
    del number, symmetric
    seen = observation.distribution()
    total = seen.weights.sum()
    if total * TAIL < 1:
        return observation.minimum, observation.maximum
    cumulative = np.cumsum(seen.weights)
    low = seen.values[int(np.searchsorted(cumulative, total * TAIL, side="right"))]
    high = seen.values[int(np.searchsorted(cumulative, total * (1 - TAIL), side="left"))]
    return float(low), float(high)
