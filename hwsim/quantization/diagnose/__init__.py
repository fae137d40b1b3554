"""Find what costs a quantized network its quality: the debugging flow of Nagel et al. 2021, arXiv 2106.08295."""

from hwsim.quantization.diagnose.advise import Finding
from hwsim.quantization.diagnose.channel_ranges import ChannelRanges
from hwsim.quantization.diagnose.diagnose import Diagnosis, diagnose
from hwsim.quantization.diagnose.used import Used, used_by

__all__ = ["ChannelRanges", "Diagnosis", "Finding", "Used", "diagnose", "used_by"]
