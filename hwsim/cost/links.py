"""The ways that operands take between DRAM and the array: one link from each memory to the next.

Transfers of one channel follow one another. A memory with a read and a write port has a channel for each; one with a single
port serves both in turn. DRAM has one channel, or a second one for writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.parts import MemoryLevel
from hwsim.mapping.mapping import Mapping

DRAM = "dram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One transfer path of one operand.

    Args:
        operand: ``ifmap``, ``weight`` or ``ofmap``.
        source, target: memory names, ``dram`` off chip.
        level: of the on-chip memory whose tile or block moves: the target of a load, the source of a store.
        channel: what is busy; links of one channel wait for each other.
        far_channel: what is busy beside it: the port of a memory behind the first level at the other end, or ``channel``.
        source_bits, target_bits: bandwidth at both ends in bits per cycle.
        latency_cycles: from the channel to the target.
        burst_bits: smallest transfer of a contiguous run.
        double_buffered: whether the on-chip end of ``level`` holds two tiles.
    """

    operand: str
    source: str
    target: str
    level: int
    channel: str
    far_channel: str
    source_bits: int
    target_bits: int
    latency_cycles: int = 0
    burst_bits: int = 1
    double_buffered: bool = True


def load_links(accelerator: Accelerator, mapping: Mapping, operand: str) -> tuple[Link, ...]:
    """Return the links of an input from the outermost to the array's own memory.

    An ifmap that stayed on chip comes from where it stayed; where that memory is on its own path, no link behind it is left.
    """
    path = accelerator.path_of(operand)
    links = [_from_dram(accelerator, operand, path[-1])]
    links += [_between(operand, path[i], path[i - 1]) for i in range(len(path) - 1, 0, -1)]
    if operand == "ifmap" and mapping.ifmap_on_chip:
        home = accelerator.resident_memory
        names = [memory.name for memory in path]
        if home.name in names:
            return tuple(links[len(path) - names.index(home.name) :])
        links[0] = _between(operand, home, path[-1])
    return tuple(links)


def store_links(accelerator: Accelerator, mapping: Mapping) -> tuple[Link, ...]:
    """Return the links of the ofmap from the array's own memory outwards; without the last where it stays on chip."""
    path = accelerator.path_of("ofmap")
    links = [
        Link(
            operand="ofmap",
            source=inner.name,
            target=outer.name,
            level=inner.level,
            channel=_write_channel(outer),
            far_channel=_read_channel(inner) if inner.level > 1 else _write_channel(outer),
            source_bits=inner.read_bits_per_cycle,
            target_bits=outer.write_bits_per_cycle,
            double_buffered=inner.double_buffered,
        )
        for inner, outer in pairwise(path)
    ]
    if not mapping.ofmap_on_chip:
        dram, last = accelerator.dram, path[-1]
        writes = f"{DRAM}.write" if dram.separate_writes else DRAM
        links.append(
            Link(
                operand="ofmap",
                source=last.name,
                target=DRAM,
                level=last.level,
                channel=writes,
                far_channel=_read_channel(last) if last.level > 1 else writes,
                source_bits=last.read_bits_per_cycle,
                target_bits=dram.bits_per_cycle,
                burst_bits=dram.burst_bits,
                double_buffered=last.double_buffered,
            )
        )
    return tuple(links)


def _from_dram(accelerator: Accelerator, operand: str, target: MemoryLevel) -> Link:
    dram = accelerator.dram
    return Link(
        operand=operand,
        source=DRAM,
        target=target.name,
        level=target.level,
        channel=DRAM,
        far_channel=_write_channel(target) if target.level > 1 else DRAM,
        source_bits=dram.bits_per_cycle,
        target_bits=target.write_bits_per_cycle,
        latency_cycles=dram.latency_cycles,
        burst_bits=dram.burst_bits,
        double_buffered=target.double_buffered,
    )


def _between(operand: str, source: MemoryLevel, target: MemoryLevel) -> Link:
    return Link(
        operand=operand,
        source=source.name,
        target=target.name,
        level=target.level,
        channel=_read_channel(source),
        far_channel=_write_channel(target) if target.level > 1 else _read_channel(source),
        source_bits=source.read_bits_per_cycle,
        target_bits=target.write_bits_per_cycle,
        double_buffered=target.double_buffered,
    )


def _read_channel(memory: MemoryLevel) -> str:
    return memory.name if memory.ports == "1rw" else f"{memory.name}.read"


def _write_channel(memory: MemoryLevel) -> str:
    return memory.name if memory.ports == "1rw" else f"{memory.name}.write"
