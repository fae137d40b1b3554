"""The extremes of each image, averaged: r <- 0.9 r + 0.1 r(image) (Krishnamoorthi 2018, arXiv:1806.08342).

One image with an outlier widens the range a little and for a while, not for good. The order of the images matters, how they
are cut into batches does not. An array known in full, a weight, is one image: its exact extremes.
"""

from __future__ import annotations

from hwsim.numerics.formats import IntFormat
from hwsim.quantization.ranges.observation import Observation

NEEDS = ("extremes", "moving")


def estimate(observation: Observation, number: IntFormat, symmetric: bool) -> tuple[float, float]:
    """Return the averages of the minimum and of the maximum."""
    del number, symmetric
    observation.check("moving")
    moving = observation.moving
    if moving is None or moving.low is None or moving.high is None:
        return observation.minimum, observation.maximum
    return moving.low, moving.high
