"""Exact integers through the whole graph, on the machine's datapath."""

from hwsim.execute.integer.layer import Counters, Layer
from hwsim.execute.integer.run import run_integer

__all__ = ["Counters", "Layer", "run_integer"]
