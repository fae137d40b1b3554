"""The array register by register: one kernel for every dataflow, which knows edges and control bits but no layer."""

from hwsim.kernels.stepped.records import CONTROL, Feed, Geometry, Layout, Log, Registers, Rules, Schedule
from hwsim.kernels.stepped.run import run

__all__ = ["CONTROL", "Feed", "Geometry", "Layout", "Log", "Registers", "Rules", "Schedule", "run"]
