"""The range that batch normalization promises, without any image (Nagel et al. 2021, section 3.1).

A normalized channel has mean ``beta`` and deviation ``|gamma|``: ``min = min(beta - 6 gamma)``, ``max = max(beta + 6 gamma)`` over the
channels, through the clamp. ``hwsim.quantization.statistics`` carries this on through sums, pools and moves. Network inputs need a
range that is stated or seen. An array known in full, a weight, has its exact extremes.
"""

from __future__ import annotations

from hwsim.errors import HwsimError
from hwsim.numerics.formats import IntFormat
from hwsim.quantization.ranges.observation import Observation

NEEDS = ("statistics",)


def estimate(observation: Observation, number: IntFormat, symmetric: bool) -> tuple[float, float]:
    """Return the range by statistics; raise HwsimError where no statistics reach the tensor."""
    del number, symmetric
    if observation.is_exact:
        return observation.minimum, observation.maximum
    observation.check("statistics")
    if observation.statistics is None:
        raise HwsimError(
            "range estimator batch_norm: no normalization tells the range of this tensor; state another activation_range "
            "for the layer and give calibration images (a recipe without images, as data_free, is for networks whose "
            "activations follow batch normalization)"
        )
    return observation.statistics
