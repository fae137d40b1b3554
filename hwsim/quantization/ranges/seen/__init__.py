"""What calibration remembers of a tensor, one kind per file; estimators say which they need."""

from hwsim.quantization.ranges.seen.channels import Channels
from hwsim.quantization.ranges.seen.distribution import Distribution
from hwsim.quantization.ranges.seen.histogram import Histogram
from hwsim.quantization.ranges.seen.moving import MovingExtremes
from hwsim.quantization.ranges.seen.rows import Rows

__all__ = ["Channels", "Distribution", "Histogram", "MovingExtremes", "Rows"]
