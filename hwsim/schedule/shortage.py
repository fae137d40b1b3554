"""The error for memories that hold no tile: what is missing, and what would be enough."""

from __future__ import annotations

import numpy as np

from hwsim.hardware.accelerator import Accelerator
from hwsim.mapping.candidates import Candidates
from hwsim.mapping.legal import TileBits, memory_bytes


def too_small(accelerator: Accelerator, tiles: Candidates, needed: TileBits) -> str:
    """Return one paragraph about the tile that lacks the fewest bytes; the sizes that it names are enough for that tile."""
    sizes = memory_bytes(accelerator, needed)
    lacking = sum(np.maximum(sizes[level.name] - level.size_bytes, 0) for level in accelerator.memory)
    best = int(np.argmin(lacking))
    short = [
        (level.name, level.size_bytes, int(sizes[level.name][best]))
        for level in accelerator.memory
        if sizes[level.name][best] > level.size_bytes
    ]
    lacks = " and ".join(f"memory {name!r} has {size} bytes and needs {need}" for name, size, need in short)
    changes = " ".join(f"--set memory.{name}.size_bytes={need}" for name, _, need in short)
    return (
        f"no tile fits {accelerator.name}: even for a tile of {tiles.m[best]} x {tiles.k[best]} x {tiles.n[best]} "
        f"(m x k x n) {lacks}; enlarge it, at least {changes}"
    )
