"""The error for memories that hold no tile: what is missing, and what would be enough."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.datapath import Datapath
from hwsim.mapping.candidates import candidates
from hwsim.mapping.legal import memory_bytes
from hwsim.mapping.mapping import Block, Mapping
from hwsim.mapping.tiles import cuts
from hwsim.units import ceil_div

MOST_TRIED = 100


def too_small(whole: Mapping, accelerator: Accelerator, datapath: Datapath, reserved_bytes: int, max_steps: int) -> str:
    """Return one paragraph about the tile that lacks the fewest bytes; the sizes that it names are enough for it."""
    home = accelerator.resident_memory.name

    def needed(mapping: Mapping) -> dict[str, int]:
        sizes = memory_bytes(mapping, accelerator, datapath)
        return sizes | {home: sizes[home] + reserved_bytes}

    def lacking(sizes: dict[str, int]) -> int:
        return sum(max(sizes[memory.name] - memory.size_bytes, 0) for memory in accelerator.memory)

    best = min(_smallest(whole, accelerator, max_steps), key=lambda mapping: lacking(needed(mapping)))
    lacks, changes = missing(needed(best), accelerator)
    return (
        f"no tile fits {accelerator.name}: even for a tile of {best.tile_m} x {best.tile_k} x {best.tile_n} "
        f"(m x k x n) {lacks}; enlarge it, at least {changes}"
    )


def missing(needed: dict[str, int], accelerator: Accelerator) -> tuple[str, str]:
    """Return which memories lack bytes, and the options that enlarge them; ``needed`` is bytes by memory."""
    short = [(m.name, m.size_bytes, needed[m.name]) for m in accelerator.memory if needed[m.name] > m.size_bytes]
    lacks = " and ".join(f"memory {name!r} has {size} bytes and needs {need}" for name, size, need in short)
    return lacks, " ".join(f"--set memory.{name}.size_bytes={need}" for name, _, need in short)


def _smallest(whole: Mapping, accelerator: Accelerator, max_steps: int) -> list[Mapping]:
    """Return the smallest candidates of at most ``max_steps`` steps, with blocks of their own size around them."""
    gemm = whole.gemm
    sizes = candidates(gemm, accelerator.array, whole.mac)
    tiles = [
        (m, k, n)
        for m, k, n in product(sizes.m, sizes.k, sizes.n)
        if len(cuts(gemm, "m", m)) * len(cuts(gemm, "k", k)) * ceil_div(gemm.n, n) * gemm.groups <= max_steps
    ]
    tiles.sort(key=lambda tile: tile[0] * tile[1] + tile[1] * tile[2] + tile[0] * tile[2])
    levels = max(memory.level for memory in accelerator.memory)
    return [
        replace(
            whole,
            tile_m=m,
            tile_k=k,
            tile_n=n,
            blocks=tuple(Block(level=level, m=m, n=n) for level in range(levels, 1, -1)),
        )
        for m, k, n in tiles[:MOST_TRIED] or [(gemm.m, gemm.k, gemm.n)]
    ]
