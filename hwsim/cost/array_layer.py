"""All ledger rows of one array layer."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from hwsim.cost import traffic
from hwsim.cost.array_cycles import load_cycles, sequence_cycles, tail_cycles, tile_cycles, unused_cycles
from hwsim.cost.array_work import array_work
from hwsim.cost.ledger import Cycles, LayerCost
from hwsim.cost.pipeline import Event, Pipeline, Transfer, run
from hwsim.cost.steps import Steps, steps_of
from hwsim.cost.transfers import beside, transfer_cycles
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.datapath import Datapath
from hwsim.mapping.mapping import Mapping


@lru_cache(maxsize=4096)
def array_layer(mapping: Mapping, accelerator: Accelerator, datapath: Datapath, prefetched: int = 0) -> LayerCost:
    """Return accesses, arithmetic and cycles of a GEMM with its mapping on a machine.

    Args:
        mapping: the tiles.
        accelerator: the machine.
        datapath: of this layer.
        prefetched: cycles of its first load of weights that DRAM did under the layer before.
    """
    steps = steps_of(mapping, accelerator)
    cycles, idle_tail = array_cycles(mapping, accelerator, datapath, prefetched)
    return LayerCost(
        accesses=traffic.accesses(mapping, steps, accelerator, datapath),
        compute=array_work(mapping, steps, datapath),
        cycles=cycles,
        macs=mapping.gemm.macs,
        idle_tail=idle_tail,
    )


def array_cycles(
    mapping: Mapping, accelerator: Accelerator, datapath: Datapath, prefetched: int = 0, event: Event | None = None
) -> tuple[Cycles, int]:
    """Return the cycles of a GEMM, the array's own and the stalls by cause, and DRAM's idle time at its end."""
    steps = steps_of(mapping, accelerator)
    times = repeats(mapping, steps)[steps.parts.step]
    own = sequence_cycles(mapping.array, steps.parts.sizes(), shape=mapping.mac, times=times)
    timing = run(pipeline_of(mapping, steps, accelerator, datapath, prefetched), event)
    stalls = {f"stall_{cause}": cycles for cause, cycles in timing.stall.items()}
    return Cycles(compute=own.compute, fill=own.fill, drain=own.drain, **stalls), timing.idle_tail


def pipeline_of(
    mapping: Mapping, steps: Steps, accelerator: Accelerator, datapath: Datapath, prefetched: int = 0
) -> Pipeline:
    """Return the steps as cycles on the channels and in the array."""
    array = mapping.array
    idle, busy = _step_cycles(mapping, steps)
    idle[0] = 0
    busy[-1] -= unused_cycles(array, steps.parts.sizes(), mapping.mac)
    stationary = array.flow.stationary
    new = (
        steps.loads[stationary][-1].elements > 0 if steps.loads.get(stationary) else np.zeros(len(steps.m), dtype=bool)
    )
    preload = np.where(new, load_cycles(array), 0)
    preload[0] = load_cycles(array)
    port = traffic.port_cycles(mapping, steps, accelerator, datapath)
    requantizer = -(-steps.outputs // accelerator.vector.requantizer_lanes)
    tail = tail_cycles(array)
    for unit in (port, requantizer):  # the end of the last step's accesses runs under the tail
        unit[-1] = max(unit[-1] - tail, 0)
    return Pipeline(
        loads=tuple(
            Transfer(link=moves.link, cycles=transfer_cycles(mapping, moves, beside(mapping, steps, moves, datapath)))
            for operand in ("weight", "ifmap")
            for moves in steps.loads[operand]
        ),
        stores=tuple(Transfer(link=moves.link, cycles=transfer_cycles(mapping, moves)) for moves in steps.stores),
        preload=preload,
        stationary=stationary,
        idle=idle,
        array=busy,
        port=port,
        requantizer=requantizer,
        finishes=steps.finishes,
        output_buffered=accelerator.memory_of("ofmap").double_buffered,
        tail=tail,
        prefetched=prefetched,
    )


def _step_cycles(mapping: Mapping, steps: Steps) -> tuple[np.ndarray, np.ndarray]:
    """Return (idle, busy) cycles of the array in each step: its parts follow one another as tiles do."""
    parts = steps.parts
    before, busy = tile_cycles(mapping.array, parts.sizes(), mapping.mac, repeats(mapping, steps)[parts.step])
    idle = before[parts.first]
    before[parts.first] = 0  # what is left is idle between the parts of a step
    return idle, parts.sum(before + busy)


def repeats(mapping: Mapping, steps: Steps) -> np.ndarray:
    """Return how often the folds of one group run in each step: once for all groups that share the array."""
    return -(-steps.groups // mapping.groups_in_array)
