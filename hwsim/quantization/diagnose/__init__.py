"""Find what costs a quantized network its quality: the debugging flow of Nagel et al. 2021, section 5."""

from hwsim.quantization.diagnose.advise import Finding
from hwsim.quantization.diagnose.channel_ranges import ChannelRanges
from hwsim.quantization.diagnose.diagnose import Diagnosis, diagnose

__all__ = ["ChannelRanges", "Diagnosis", "Finding", "diagnose"]
