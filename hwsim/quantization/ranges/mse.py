"""The range with the least mean squared quantization error (Nagel et al. 2021, section 3.1, eq. 8).

Clipping the tails makes the steps smaller: the error of the few clipped values is traded against that of all others. Both
ends of an asymmetric range are searched together.
"""

from __future__ import annotations

from functools import partial

from hwsim.numerics.formats import IntFormat
from hwsim.quantization.ranges._search import best_range
from hwsim.quantization.ranges.observation import Observation

NEEDS = ("extremes", "histogram")


def estimate(observation: Observation, number: IntFormat, symmetric: bool) -> tuple[float, float]:
    """Return the best range found; by the same error never worse than min-max."""
    errors = partial(observation.distribution().squared_errors, number=number)
    return best_range(observation.minimum, observation.maximum, number, symmetric, errors)
