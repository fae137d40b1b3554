"""Timing and traffic of a whole plan on many machines: what does not change is prepared once.

The same numbers as ``hwsim.cost.cost``'s cycles, from the compiled recurrence, without a ledger: for design-space exploration
with a given mapping, where arrays, memories and DRAM vary.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hwsim.errors import MappingError
from hwsim.graph import Graph
from hwsim.hardware.accelerator import Accelerator
from hwsim.kernels.timing import COUNTS, PART, Counts
from hwsim.kernels.timing.network import evaluate_network
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.legal import memory_bytes
from hwsim.mapping.liveness import Lifetime, lifetimes, on_chip, viewed
from hwsim.mapping.lower import lower
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.plan import Plan
from hwsim.schedule.records import (
    block_records,
    layer_record,
    machine_record,
    part_records,
    tiling_record,
)
from hwsim.schedule.surroundings import Surroundings, Work, surroundings, surroundings_key


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimate:
    """What a network takes on one machine.

    Args:
        cycles: of one inference.
        dram_bits: over the chip's edge.
        counts: of the array layers, int64 ``[layers, COUNTS]`` (``hwsim.kernels.timing.Counts``).
        vector_cycles: of the vector layers, int64 ``[layers]``.
    """

    cycles: int
    dram_bits: int
    counts: np.ndarray
    vector_cycles: np.ndarray


class Estimator:
    """A network with its plan, ready to be timed on machines that differ in array, memories, DRAM or clock.

    Args:
        graph: a quantized network.
        accelerator: a machine; others must have its datapath, and memories that hold the same operands.
        plan: of ``hwsim.schedule.schedule`` or stated; it stays as it is on every machine.
    """

    def __init__(self, graph: Graph, accelerator: Accelerator, plan: Plan):
        self.base = accelerator.model_copy(update={"layer": ()})
        self.prefetch = plan.prefetch
        tasks = lower(graph)
        names = viewed(graph, tasks)
        done = [on_chip(task, plan.resident, names) for task in tasks]
        self.works: list[Work] = [
            (
                plan.mappings[task.layer] if isinstance(task.work, Gemm) else task.work,
                accelerator.datapath_for(task.layer),
            )
            for task in done
            if task.work is not None
        ]
        self.layers = tuple(task.layer for task in done if isinstance(task.work, Gemm))
        self.array = [(work, datapath) for work, datapath in self.works if isinstance(work, Mapping)]
        self.mappings = [mapping for mapping, _ in self.array]
        levels = max(memory.level for memory in accelerator.memory)
        self.layer_records = np.array([layer_record(mapping, datapath) for mapping, datapath in self.array])
        self.tilings = np.array([tiling_record(mapping) for mapping in self.mappings])
        self.blocks = np.array([block_records(mapping, levels) for mapping in self.mappings]).reshape(
            -1, max(levels - 1, 1)
        )
        parts = [part_records(mapping.gemm, mapping.tile_k) for mapping in self.mappings]
        self.parts = np.concatenate(parts) if parts else np.zeros(0, PART)
        self.begins = np.cumsum([0, *map(len, parts)])
        first: dict[object, int] = {}
        self.same = np.array([first.setdefault(one, i) for i, one in enumerate(self.array)], np.int64)
        self.macs = {mac: np.array([m.mac == mac for m in self.mappings]) for mac in {m.mac for m in self.mappings}}
        self.tied = [
            m for m in set(self.mappings) if m.groups_in_array > 1 or m.mac.is_sparse or m.mac.cycles_per_vector > 1
        ]
        alive = [life for life in lifetimes(graph, tasks) if life.tensor in plan.resident]
        places = [i for i, task in enumerate(tasks) if isinstance(task.work, Gemm)]
        self.needed_bytes = self._needed(alive, places, len(tasks))
        self._known: dict[object, Surroundings] = {}

    def __call__(self, accelerator: Accelerator) -> Estimate:
        """Return what the network takes on ``accelerator``.

        Raises:
            MappingError: a machine that the plan was not prepared for, or whose memories are too small for it.
        """
        self._check(accelerator)
        key = surroundings_key(accelerator)
        if key not in self._known:
            self._known[key] = surroundings(accelerator, self.works, prefetch=self.prefetch)
        around = self._known[key]
        counts = np.empty((len(self.mappings), COUNTS), np.int64)
        if self.mappings:
            machines = np.empty(len(self.mappings), machine_record(accelerator, self.mappings[0].mac).dtype)
            for mac, where in self.macs.items():
                machines[where] = machine_record(accelerator, mac)
            evaluate_network(
                self.layer_records, machines, around.memories, around.loads, around.stores, around.links, self.tilings,
                self.blocks, self.parts, self.begins, around.before, self.same, counts,
            )  # fmt: skip
        return Estimate(
            cycles=int(counts[:, Counts.END].sum() + around.vector_cycles.sum()),
            dram_bits=int(counts[:, Counts.DRAM_BITS].sum()) + around.vector_dram_bits,
            counts=counts,
            vector_cycles=around.vector_cycles,
        )

    def _needed(self, alive: list[Lifetime], places: list[int], tasks: int) -> dict[str, int]:
        """Return the bytes that each memory must have for tiles, and for what stays on chip beside them."""
        home = self.base.resident_memory.name
        reserved = [sum(life.size_bytes for life in alive if life.first <= i <= life.last) for i in range(tasks)]
        needed = {memory.name: 0 for memory in self.base.memory}
        needed[home] = max(reserved, default=0)
        for i, (mapping, datapath) in zip(places, self.array, strict=True):
            for name, size in memory_bytes(mapping, self.base, datapath).items():
                needed[name] = max(needed[name], size + (reserved[i] if name == home else 0))
        return needed

    def _check(self, machine: Accelerator) -> None:
        base = self.base
        if machine.datapath is not base.datapath and machine.datapath != base.datapath:
            raise MappingError(
                f"estimate: {machine.name} has another datapath than the plan; prepare an Estimator for it"
            )
        for ours, theirs in zip(base.memory, machine.memory, strict=len(base.memory) == len(machine.memory)):
            same = all(
                getattr(ours, key) == getattr(theirs, key) for key in ("name", "holds", "level", "double_buffered")
            )
            if not same:
                raise MappingError(
                    f"estimate: memory {theirs.name!r} holds or buffers other operands than the plan's {ours.name!r}; "
                    f"prepare an Estimator for it"
                )
            if theirs.size_bytes < self.needed_bytes[theirs.name]:
                raise MappingError(
                    f"estimate: memory {theirs.name!r} has {theirs.size_bytes} bytes and the plan needs "
                    f"{self.needed_bytes[theirs.name]}; enlarge it, or schedule the network for this machine"
                )
        if machine.array is not base.array:
            for mapping in self.tied:
                replace(mapping, array=machine.array)  # raises where the array does not allow it
