"""Whether the tiles and blocks of a mapping fit the on-chip memories."""

from __future__ import annotations

from typing import Any

from hwsim.kernels.cache import kernel
from hwsim.kernels.timing.array import ceil_div, kept
from hwsim.kernels.timing.window import ifmap_elements


@kernel
def largest_ifmap(layer: Any, m: int) -> int:
    """Return the ifmap elements under the largest tile of ``m`` outputs and one unit of k: a channel, or one element."""
    if not layer.has_window:
        return m
    image = layer.out_width * layer.out_height
    if m >= image:
        return ifmap_elements(layer, 0, m, layer.taps)
    largest = 0
    for start in range(0, image, m):
        largest = max(largest, ifmap_elements(layer, start, min(m, image - start), layer.taps))
    return largest


@kernel
def memory_bytes(
    layer: Any, machine: Any, memory: Any, resident: Any, m: int, k: int, n: int, groups: int, pixels: int
) -> int:
    """Return the bytes that a tile or block takes in one memory.

    Args:
        layer, machine, memory: records of ``LAYER``, ``MACHINE`` and ``MEMORY``.
        resident: bool ``[2]``: whether the ifmap, the ofmap lies in this memory as a whole anyway.
        m, k, n: of the tile or block; ``pixels`` of ``largest_ifmap(m)``.
        groups: that travel together.
    """
    unit = layer.taps if layer.has_window else 1
    needed = 0
    if memory.ifmap and not resident[0]:
        needed += memory.copies * ceil_div(pixels * (k // unit) * groups * layer.ifmap_bits, 8)
    if memory.weight:
        needed += memory.copies * ceil_div(kept(machine, k) * n * groups * layer.weight_bits, 8)
    if memory.ofmap and not resident[1]:
        needed += memory.copies * ceil_div(m * n * groups * layer.ofmap_bits, 8)
    if memory.psum:
        needed += ceil_div(m * n * groups * layer.psum_bits, 8)
    return needed
