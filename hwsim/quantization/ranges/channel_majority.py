"""The range with the least error relative to each channel's variance (Hoang et al. 2020, arXiv:2012.13762).

The mean squared error is decided by the few channels that vary most; here every channel has the same say: the mean over
channels of ``MSE_c / var_c`` is minimized, which serves the majority. The paper states the aim; this form of it is ours. A
channel that never changes has no say. An array known in full, a weight, is one channel: its range is that of ``mse``.
"""

from __future__ import annotations

from functools import partial

from hwsim.numerics.formats import IntFormat
from hwsim.quantization.ranges._search import best_range
from hwsim.quantization.ranges.observation import Observation

NEEDS = ("extremes", "channels")


def estimate(observation: Observation, number: IntFormat, symmetric: bool) -> tuple[float, float]:
    """Return the best range found; by the same error never worse than min-max."""
    observation.check("channels")
    low, high = observation.minimum, observation.maximum
    seen = observation.distribution() if observation.channels is None else observation.channels.distribution(low, high)
    return best_range(low, high, number, symmetric, partial(seen.squared_errors, number=number))
