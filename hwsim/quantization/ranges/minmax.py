"""The whole range seen: nothing is clipped, outliers widen every step (Nagel et al. 2021, section 3.1)."""

from __future__ import annotations

from hwsim.numerics.formats import IntFormat
from hwsim.quantization.ranges.observation import Observation

NEEDS = ("extremes",)


def estimate(observation: Observation, number: IntFormat, symmetric: bool) -> tuple[float, float]:
    """Return the exact minimum and maximum seen."""
    del number, symmetric
    return observation.minimum, observation.maximum
