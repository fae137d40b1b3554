"""What a mapping takes of the on-chip memories, and whether it fits."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from typing import Any

import numpy as np

from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.datapath import Datapath
from hwsim.hardware.parts import MemoryLevel
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.layer_constants import column_bits, position_bits, position_words, table_bits
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.tiles import cuts, ifmap_elements, most_scales
from hwsim.mapping.widths import accumulator_bits, scale_bits, stored_weight_bits
from hwsim.units import BITS_PER_BYTE


def largest_ifmap(gemm: Gemm, m: int, k: int) -> int:
    """Return the ifmap elements of the largest tile of ``m`` outputs and ``k``; with a window distinct pixels are counted."""
    spans = np.array(cuts(gemm, "m", m))
    return int(ifmap_elements(gemm, spans[:, 0], spans[:, 1], np.full(len(spans), k)).max())


def resident_in(mapping: Mapping, accelerator: Accelerator, memory: MemoryLevel) -> frozenset[str]:
    """Return the operands that lie in ``memory`` as a whole: activations that stay on chip, reserved beside the tiles."""
    if memory.name != accelerator.resident_memory.name:
        return frozenset()
    return frozenset(name for name in ("ifmap", "ofmap") if getattr(mapping, f"{name}_on_chip"))


def tile_bytes(
    mapping: Mapping,
    memory: MemoryLevel,
    tile: tuple[Any, Any, Any],
    pixels: Any,
    scales: Any,
    datapath: Datapath,
    resident: frozenset[str],
) -> Any:
    """Return the bytes of tiles or blocks in one memory; double buffering keeps two of every operand but the psum.

    Column constants (bias, zero points, scales) of all of a group's n lie with the weights, and so do scales by position and a
    decoder's table; the scales of segments with the tile's.

    Args:
        mapping: of which the formats and the groups are read.
        memory: the memory.
        tile: m, k and n: integers, or int64 arrays that broadcast.
        pixels: ifmap elements of the largest tile, likewise.
        scales: of one column that the tile with the most of them has (``most_scales``), likewise.
        datapath: says how wide accumulators and scales are.
        resident: operands that lie there as a whole.
    """
    gemm, (m, k, n) = mapping.gemm, tile
    elements = {
        "ifmap": (pixels, gemm.ifmap.bits),
        "weight": (mapping.mac.kept(k) * n, stored_weight_bits(mapping)),
        "ofmap": (m * n, gemm.ofmap.bits),
        "psum": (m * n, accumulator_bits(gemm, datapath)),
    }
    scale = scale_bits(gemm, datapath)
    total = 0
    for operand in memory.holds:
        if operand in resident:
            continue
        count, bits = elements[operand]
        copies = 2 if memory.double_buffered and operand != "psum" else 1
        if operand == "weight":
            constants = gemm.n * mapping.groups_together * column_bits(gemm, datapath) + table_bits(gemm, datapath)
            owners = mapping.groups_together if gemm.scales_groups else 1
            constants += owners * position_words(gemm, datapath) * position_bits(gemm, datapath)
            total = total + -(-constants // BITS_PER_BYTE)
        total = total + copies * -(-count * bits * mapping.groups_together // BITS_PER_BYTE)
        if operand == "weight" and scale:
            columns = 1 if gemm.shares_scales else n
            total = total + copies * -(-scales * columns * scale * mapping.groups_together // BITS_PER_BYTE)
    return total


def memory_bytes(mapping: Mapping, accelerator: Accelerator, datapath: Datapath) -> dict[str, int]:
    """Return the bytes of tiles and blocks in each on-chip memory, resident activations left out.

    Args:
        mapping: the tiles.
        accelerator: the machine.
        datapath: of this layer.
    """
    blocks = {block.level: block for block in mapping.blocks}
    needed = {}
    for memory in accelerator.memory:
        block = blocks.get(memory.level)
        m, k, n = mapping.gemm.m, mapping.gemm.k, mapping.gemm.n
        if memory.level == 1:
            m, k, n = mapping.tile_m, mapping.tile_k, mapping.tile_n
        elif block is not None:
            m, n = block.m, block.n
        pixels = largest_ifmap(mapping.gemm, m, k)
        resident = resident_in(mapping, accelerator, memory)
        scales = most_scales(mapping.gemm, k)
        needed[memory.name] = int(tile_bytes(mapping, memory, (m, k, n), pixels, scales, datapath, resident))
    return needed


def fits(
    mapping: Mapping, accelerator: Accelerator, datapath: Datapath, reserved: MappingType[str, int] | None = None
) -> bool:
    """Return whether the mapping's tiles fit beside ``reserved`` bytes by memory."""
    needed = memory_bytes(mapping, accelerator, datapath)
    return all(
        needed[memory.name] + (reserved or {}).get(memory.name, 0) <= memory.size_bytes for memory in accelerator.memory
    )
