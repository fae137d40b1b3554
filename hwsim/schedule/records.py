"""Layers, machines and mappings as the records that the compiled timing reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.cost.array_cycles import drain_cycles, load_cycles, skew
from hwsim.cost.links import DRAM, Link, load_links, store_links
from hwsim.cost.transfers import storage_bits
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.datapath import Datapath
from hwsim.hardware.mac import MacShape
from hwsim.kernels.timing.records import BLOCK, LAYER, LINK, MACHINE, MEMORY, PART, TILING
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.layer_constants import column_bits, position_bits, position_words, positions_have_columns, table_bits
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.tiles import k_parts
from hwsim.mapping.widths import accumulator_bits, has_column_constant, scale_bits

STATIONARY = ("weight", "ifmap", "psum")
OPERANDS = ("weight", "ifmap", "ofmap")
DIMENSIONS = "mkn"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Records:
    """What the compiled timing reads of one layer on one machine, but for its tiling.

    Args:
        layer, machine: records of ``LAYER`` and ``MACHINE``.
        memories: array of ``MEMORY``.
        loads, stores: arrays of ``LINK``.
    """

    layer: np.ndarray
    machine: np.ndarray
    memories: np.ndarray
    loads: np.ndarray
    stores: np.ndarray

    @property
    def levels(self) -> int:
        """Levels of on-chip memory."""
        return int(self.machine["levels"])


def records_of(mapping: Mapping, accelerator: Accelerator, datapath: Datapath) -> Records:
    """Return the records; of the mapping only the GEMM, the array and what stays on chip are read."""
    loads, stores = link_records(accelerator, mapping)
    return Records(
        layer=layer_record(mapping, datapath),
        machine=machine_record(accelerator, mapping.mac),
        memories=memory_records(accelerator),
        loads=loads,
        stores=stores,
    )


def link_records(accelerator: Accelerator, mapping: Mapping) -> tuple[np.ndarray, np.ndarray]:
    """Return the ``LINK`` records of loads and stores; of the mapping only what stays on chip is read."""
    loads = [link for operand in OPERANDS[:2] for link in load_links(accelerator, mapping, operand)]
    stores = list(store_links(accelerator, mapping))
    busy = [name for link in (*loads, *stores) for name in (link.channel, link.far_channel)]
    channels = {name: i for i, name in enumerate(dict.fromkeys(busy))}
    names = [memory.name for memory in accelerator.memory]
    return _links(loads, channels, names), _links(stores, channels, names)


def layer_record(mapping: Mapping, datapath: Datapath) -> np.ndarray:
    """Return the ``LAYER`` record of a mapping's GEMM."""
    gemm = mapping.gemm
    record = np.zeros(1, LAYER)[0]
    for name in ("m", "k", "n", "groups"):
        record[name] = getattr(gemm, name)
    for operand in ("ifmap", "weight", "ofmap"):
        record[f"{operand}_bits"] = storage_bits(mapping, operand)
    record["psum_bits"] = accumulator_bits(gemm, datapath)
    record["constant_bits"], record["table_bits"] = column_bits(gemm, datapath), table_bits(gemm, datapath)
    record["position_words"], record["position_bits"] = position_words(gemm, datapath), position_bits(gemm, datapath)
    record["position_rows"], record["position_columns"] = gemm.scales_rows > 1, positions_have_columns(gemm, datapath)
    record["position_groups"] = gemm.scales_groups
    record["preloads_bias"] = has_column_constant(gemm, datapath) and datapath.bias == "start"
    record["weight_is_activation"] = gemm.weight_is_activation
    record["segments"] = len(gemm.segments) if gemm.has_scales else 0
    record["scale_bits"], record["shares_scales"] = scale_bits(gemm, datapath), gemm.shares_scales
    record["is_decoded"] = gemm.is_decoded
    window = gemm.window
    if window is not None:
        record["has_window"] = 1
        for name in ("out_width", "out_height", "taps", "in_height", "stored_width"):
            record[name] = getattr(window, name)
        record["kernel"], record["stride"], record["dilation"] = (
            window.kernel[0],
            window.strides[0],
            window.dilations[0],
        )
        record["pad"], record["spread"] = window.pads[0], window.spread[0]
    return record


def machine_record(accelerator: Accelerator, mac: MacShape) -> np.ndarray:
    """Return the ``MACHINE`` record for processing elements of a shape."""
    array, flow = accelerator.array, accelerator.array.flow
    record = np.zeros(1, MACHINE)[0]
    record["rows"], record["columns"] = mac.held(flow.rows, array.rows), mac.held(flow.columns, array.columns)
    for name in ("k_lanes", "n_lanes", "cycles_per_vector", "keep", "block"):
        record[name] = getattr(mac, name)
    for name in ("rows", "columns", "time"):
        record[f"{name}_dim"] = DIMENSIONS.index(getattr(flow, name))
    record["stationary"] = STATIONARY.index(flow.stationary)
    record["down"], record["out"] = skew(array)
    record["load"], record["drain"] = load_cycles(array), drain_cycles(array)
    record["in_one_piece"] = array.drain_start != "as_ready"
    record["hidden_from"] = array.rows + array.columns - 2 + drain_cycles(array)
    record["stream_block"] = array.stream_block
    record["overlap_load"], record["overlap_drain"] = array.overlap_load, array.overlap_drain
    record["requantizer_lanes"] = accelerator.vector.requantizer_lanes
    record["output_buffered"] = accelerator.memory_of("ofmap").double_buffered
    record["levels"] = max(memory.level for memory in accelerator.memory)
    return record


def memory_records(accelerator: Accelerator) -> np.ndarray:
    """Return the ``MEMORY`` records."""
    records = np.zeros(len(accelerator.memory), MEMORY)
    for record, memory in zip(records, accelerator.memory, strict=True):
        for operand in memory.holds:
            record[operand] = 1
        record["level"] = memory.level
        record["read_bits"], record["write_bits"] = memory.read_bits_per_cycle, memory.write_bits_per_cycle
        record["shared"] = memory.ports == "1rw"
        record["dma"] = memory.ports == "1rw" and memory.banks == 1
    return records


def tiling_record(mapping: Mapping, prefetched: int = 0) -> np.ndarray:
    """Return the ``TILING`` record."""
    record = np.zeros(1, TILING)[0]
    for dim in DIMENSIONS:
        record[dim] = getattr(mapping, f"tile_{dim}")
    record["n_outermost"] = mapping.order[0] == "n"
    record["groups_together"], record["groups_in_array"] = mapping.groups_together, mapping.groups_in_array
    record["prefetched"] = prefetched
    return record


def part_records(gemm: Gemm, tile_k: int) -> np.ndarray:
    """Return the ``PART`` records of a GEMM whose tiles have ``tile_k``."""
    return np.array([(part.tile, part.size, part.scales) for part in k_parts(gemm, tile_k)], PART)


def block_records(mapping: Mapping, levels: int) -> np.ndarray:
    """Return the ``BLOCK`` records of the levels from 2 on."""
    records = np.zeros(max(levels - 1, 1), BLOCK)
    records["m"], records["n"] = mapping.gemm.m, mapping.gemm.n
    for block in mapping.blocks:
        record = records[block.level - 2]
        record["m"], record["n"], record["n_outermost"] = block.m, block.n, block.order[0] == "n"
    return records


def _links(links: list[Link], channels: dict[str, int], names: list[str]) -> np.ndarray:
    records = np.zeros(len(links), LINK)
    for record, link in zip(records, links, strict=True):
        record["operand"], record["level"] = OPERANDS.index(link.operand), link.level
        record["channel"], record["far_channel"] = channels[link.channel], channels[link.far_channel]
        record["bits"] = min(link.source_bits, link.target_bits)
        record["latency"], record["burst"], record["double"] = (
            link.latency_cycles,
            link.burst_bits,
            link.double_buffered,
        )
        record["dram"] = 0 if DRAM not in (link.source, link.target) else 1 if link.channel == DRAM else 2
        record["source"], record["target"] = (
            names.index(name) if name in names else -1 for name in (link.source, link.target)
        )
    return records
