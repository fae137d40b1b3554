"""What normalizations tell of every activation without any image: means, variances and ranges, carried through the network."""

from hwsim.quantization.statistics.moments import Moments
from hwsim.quantization.statistics.observe import observe_statistics
from hwsim.quantization.statistics.propagate import propagated

__all__ = ["Moments", "observe_statistics", "propagated"]
