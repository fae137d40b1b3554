"""The range with the least mean squared quantization error (Nagel et al. 2021, eq. 8).

Clipping the tails makes the steps smaller: the error of the few clipped values is traded against that of all others.
The two ends are searched in turn over fractions of the observed range, on the histogram of the values.
"""

from __future__ import annotations

import numpy as np

from hwsim.numerics.formats import IntFormat
from hwsim.quantize.grid import grid_of_range
from hwsim.quantize.ranges.observation import Observation

FRACTIONS = np.linspace(0.02, 1.0, 50)
ROUNDS = 2


def estimate(observation: Observation, number: IntFormat, symmetric: bool) -> tuple[float, float]:
    """Return the best range found; never worse than min-max on the histogram."""
    used = observation.counts > 0
    values, weights = observation.centres[used], observation.counts[used]

    def error(low: float, high: float) -> float:
        scale, zero_point = grid_of_range(low, high, number, symmetric)
        codes = np.clip(np.rint(values / scale) + zero_point, number.minimum, number.maximum)
        return float(weights @ np.square(scale * (codes - zero_point) - values))

    low, high = min(observation.minimum, 0.0), max(observation.maximum, 0.0)
    full_low, full_high = low, high
    if symmetric:
        fraction = min(FRACTIONS[::-1], key=lambda part: error(low * part, high * part))
        return float(low * fraction), float(high * fraction)
    for _ in range(ROUNDS):
        high = min((full_high * FRACTIONS[::-1]).tolist(), key=lambda end: error(low, end)) if full_high > 0 else 0.0
        low = min((full_low * FRACTIONS[::-1]).tolist(), key=lambda end: error(end, high)) if full_low < 0 else 0.0
    return low, high
