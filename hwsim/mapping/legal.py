"""What a mapping takes of the on-chip memories, and whether it fits."""

from __future__ import annotations

from collections.abc import Mapping as MappingType

import numpy as np

from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.parts import MemoryLevel
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.tiles import cuts, ifmap_elements
from hwsim.mapping.widths import stored_weight_bits
from hwsim.units import BITS_PER_BYTE, ceil_div


def largest_ifmap(gemm: Gemm, m: int, k: int) -> int:
    """Return the ifmap elements of the largest tile of ``m`` outputs and ``k``; with a window distinct pixels are counted."""
    spans = np.array(cuts(gemm, "m", m))
    return int(ifmap_elements(gemm, spans[:, 0], spans[:, 1], np.full(len(spans), k)).max())


def memory_bytes(mapping: Mapping, accelerator: Accelerator, psum_bits: int) -> dict[str, int]:
    """Return the bytes of tiles and blocks in each on-chip memory.

    Double buffering keeps two of every operand but the psum. Activations that stay on chip as a whole are not among them:
    they are reserved beside.
    """
    home = accelerator.path_of("ofmap")[-1].name
    blocks = {block.level: block for block in mapping.blocks}
    needed = {}
    for memory in accelerator.memory:
        kept = {
            "ifmap": memory.name == home and mapping.ifmap_on_chip,
            "ofmap": memory.name == home and mapping.ofmap_on_chip,
        }
        block = blocks.get(memory.level)
        m, k, n = mapping.gemm.m, mapping.gemm.k, mapping.gemm.n
        if memory.level == 1:
            m, k, n = mapping.tile_m, mapping.tile_k, mapping.tile_n
        elif block is not None:
            m, n = block.m, block.n
        needed[memory.name] = _bytes(mapping, memory, (m, k, n), psum_bits, kept)
    return needed


def fits(
    mapping: Mapping, accelerator: Accelerator, psum_bits: int, reserved: MappingType[str, int] | None = None
) -> bool:
    """Return whether the mapping's tiles fit beside ``reserved`` bytes by memory."""
    needed = memory_bytes(mapping, accelerator, psum_bits)
    return all(
        needed[memory.name] + (reserved or {}).get(memory.name, 0) <= memory.size_bytes for memory in accelerator.memory
    )


def _bytes(
    mapping: Mapping, memory: MemoryLevel, tile: tuple[int, int, int], psum_bits: int, kept: MappingType[str, bool]
) -> int:
    gemm, (m, k, n) = mapping.gemm, tile
    elements = {
        "ifmap": (largest_ifmap(gemm, m, k), gemm.ifmap.bits),
        "weight": (mapping.mac.kept(k) * n, stored_weight_bits(mapping)),
        "ofmap": (m * n, gemm.ofmap.bits),
        "psum": (m * n, psum_bits),
    }
    total = 0
    for operand in memory.holds:
        if kept.get(operand):
            continue
        count, bits = elements[operand]
        copies = 2 if memory.double_buffered and operand != "psum" else 1
        total += copies * ceil_div(count * bits * mapping.groups_together, BITS_PER_BYTE)
    return total
