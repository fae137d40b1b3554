"""The memory replay of SCALE-Sim's bandwidth-estimating mode; the definitions are in its tests, as plain loops over sets."""

from hwsim.kernels.scalesim.demand import Axis, Demand
from hwsim.kernels.scalesim.reads import ReadReplay, replay_reads
from hwsim.kernels.scalesim.writes import Results, WriteReplay, replay_writes

__all__ = ["Axis", "Demand", "ReadReplay", "Results", "WriteReplay", "replay_reads", "replay_writes"]
