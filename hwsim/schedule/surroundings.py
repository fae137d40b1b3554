"""What memories, DRAM and vector unit mean for a plan, whatever the array is: the part that machines of a sweep share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from hwsim.cost.links import DRAM
from hwsim.cost.turns import may_come_early
from hwsim.cost.vector_layer import vector_layer
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.datapath import Datapath
from hwsim.kernels.timing import LINK
from hwsim.kernels.timing.network import FROM_ARRAY
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.tasks import VectorWork
from hwsim.schedule.records import link_records, memory_records

Work = tuple[Mapping | VectorWork, Datapath]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surroundings:
    """What memories, DRAM and vector unit decide, whatever the array is.

    Args:
        memories: array of ``MEMORY``.
        loads, stores, links: as of ``evaluate_network``.
        before: int64 ``[array layers]``, as of ``evaluate_network``.
        vector_cycles: int64 ``[vector layers]``.
        vector_dram_bits: of all vector layers.
    """

    memories: np.ndarray
    loads: np.ndarray
    stores: np.ndarray
    links: np.ndarray
    before: np.ndarray
    vector_cycles: np.ndarray
    vector_dram_bits: int


def surroundings_key(machine: Accelerator) -> object:
    """Return what decides ``surroundings``, hashable; sizes of memories are not part of it."""
    dram, vector = machine.dram, machine.vector
    return (
        tuple((m.read_bits_per_cycle, m.write_bits_per_cycle, m.ports, m.banks) for m in machine.memory),
        (dram.bits_per_cycle, dram.latency_cycles, dram.burst_bits, dram.separate_writes),
        (vector.lanes, vector.requantizer_lanes),
    )


def surroundings(machine: Accelerator, works: Iterable[Work], *, prefetch: bool) -> Surroundings:
    """Return them for the layers of a network in order."""
    plain = machine.model_copy(update={"layer": ()})
    records: list[tuple[np.ndarray, np.ndarray]] = []
    before: list[int] = []
    cycles: list[int] = []
    bits = idle = 0
    for work, datapath in works:
        if isinstance(work, Mapping):
            records.append(link_records(machine, work))
            before.append(idle if prefetch and may_come_early(work, plain) else 0)
            idle = FROM_ARRAY
            continue
        cost = vector_layer(work, plain, datapath)
        cycles.append(cost.cycles.total)
        bits += sum(row.count * row.bits for row in cost.accesses if row.memory == DRAM)
        idle = cost.idle_tail
    loads, stores, links = stacked(records)
    return Surroundings(
        memories=memory_records(machine), loads=loads, stores=stores, links=links, before=np.array(before, np.int64),
        vector_cycles=np.array(cycles, np.int64), vector_dram_bits=bits,
    )  # fmt: skip


def stacked(records: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return loads, stores and how many of each hold, as ``evaluate_network`` takes them, of ``link_records`` by layer."""
    links = np.array([[len(side) for side in both] for both in records], np.int64).reshape(-1, 2)
    padded = [np.zeros((len(records), links[:, side].max(initial=1)), LINK) for side in (0, 1)]
    for i, both in enumerate(records):
        for side in (0, 1):
            padded[side][i, : len(both[side])] = both[side]
    return padded[0], padded[1], links
