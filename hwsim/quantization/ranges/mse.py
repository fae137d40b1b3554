"""The range with the least mean squared quantization error (Nagel et al. 2021, eq. 8).

Clipping the tails makes the steps smaller: the error of the few clipped values is traded against that of all others.
The two ends are searched in turn over fractions of the observed range, on the histogram of the values.
"""

from __future__ import annotations

import numpy as np

from hwsim.numerics.formats import IntFormat
from hwsim.quantization.grid import grid_of_range
from hwsim.quantization.ranges.observation import Observation

FRACTIONS = np.linspace(1.0, 0.02, 50)
ROUNDS = 2


def estimate(observation: Observation, number: IntFormat, symmetric: bool) -> tuple[float, float]:
    """Return the best range found; never worse than min-max on the histogram."""
    used = observation.counts > 0
    values, weights = observation.centres[used], observation.counts[used]
    low, high = min(observation.minimum, 0.0), max(observation.maximum, 0.0)
    if symmetric:
        best = _best(values, weights, low * FRACTIONS, high * FRACTIONS, number, symmetric=True)
        return float(low * FRACTIONS[best]), float(high * FRACTIONS[best])
    full_low, full_high = low * FRACTIONS, high * FRACTIONS
    for _ in range(ROUNDS):
        high = float(full_high[_best(values, weights, np.full_like(FRACTIONS, low), full_high, number)])
        low = float(full_low[_best(values, weights, full_low, np.full_like(FRACTIONS, high), number)])
    return low, high


def _best(
    values: np.ndarray,
    weights: np.ndarray,
    lows: np.ndarray,
    highs: np.ndarray,
    number: IntFormat,
    *,
    symmetric: bool = False,
) -> int:
    """Return the index of the range with the least weighted squared error; the widest one on ties."""
    grids = [grid_of_range(low, high, number, symmetric) for low, high in zip(lows, highs, strict=True)]
    scale = np.array([grid[0] for grid in grids])[:, None]
    zero_point = np.array([grid[1] for grid in grids])[:, None]
    codes = np.clip(np.rint(values / scale) + zero_point, number.minimum, number.maximum)
    errors = np.square(scale * (codes - zero_point) - values) @ weights
    return int(errors.argmin())
