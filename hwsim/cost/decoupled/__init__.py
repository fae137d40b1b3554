"""Cycles and bus traffic of one matrix product on decoupled load, execute and store units, command by command."""

from hwsim.cost.decoupled.run import Timeline, timeline
from hwsim.cost.decoupled.work import Bias, Work

__all__ = ["Bias", "Timeline", "Work", "timeline"]
