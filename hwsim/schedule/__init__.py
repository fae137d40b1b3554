"""From a network and a machine to a mapping of every array layer."""

from hwsim.schedule.choose import choose_mapping
from hwsim.schedule.schedule import schedule

__all__ = ["choose_mapping", "schedule"]
