"""From a network and a machine to a plan: a mapping of every array layer, and what stays on chip."""

from hwsim.schedule.choose import OBJECTIVES, Objective, choose_mapping
from hwsim.schedule.schedule import Options, schedule

__all__ = ["OBJECTIVES", "Objective", "Options", "choose_mapping", "schedule"]
