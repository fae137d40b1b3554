"""Compiled timing of one layer's tiles: the twin of ``hwsim.cost``'s recurrence, for searches over mappings."""

from hwsim.kernels.timing.evaluate import evaluate
from hwsim.kernels.timing.records import BLOCK, COUNTS, LAYER, LINK, MACHINE, MEMORY, PART, TILING, Counts

__all__ = ["BLOCK", "COUNTS", "LAYER", "LINK", "MACHINE", "MEMORY", "PART", "TILING", "Counts", "evaluate"]
