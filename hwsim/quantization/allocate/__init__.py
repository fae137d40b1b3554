"""Bits per layer: what a width costs in quality, what it costs on the machine, and the best widths within a budget."""

from hwsim.quantization.allocate.qem import QemRule
from hwsim.quantization.allocate.step import Allocate

__all__ = ["Allocate", "QemRule"]
