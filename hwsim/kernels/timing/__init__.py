"""Compiled timing of one layer's tiles: the twin of ``hwsim.cost``'s recurrence, for searches over mappings."""

from hwsim.kernels.timing.evaluate import evaluate
from hwsim.kernels.timing.legal import largest_ifmap, memory_bytes
from hwsim.kernels.timing.records import BLOCK, COUNTS, LAYER, LINK, MACHINE, MEMORY, TILING, Counts
from hwsim.kernels.timing.search import rank, search

__all__ = ["BLOCK", "COUNTS", "LAYER", "LINK", "MACHINE", "MEMORY", "TILING", "Counts", "evaluate", "rank", "search"]
