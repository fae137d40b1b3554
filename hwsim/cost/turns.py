"""The layers of a network in the order in which the machine runs them, and what each finds when its turn comes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hwsim.cost.array_layer import array_layer
from hwsim.cost.ledger import LayerCost
from hwsim.cost.vector_layer import vector_layer
from hwsim.graph import Graph
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.datapath import Datapath
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.liveness import on_chip, viewed
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.plan import Plan
from hwsim.mapping.tasks import Task
from hwsim.mapping.widths import multiplier_bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One layer when its turn comes.

    Args:
        task: its work, with the streams that stay on chip marked.
        machine: without rules per layer.
        datapath: of this layer.
        prefetched: cycles of its first load of weights for which DRAM is idle under the layer before.
        cost: its ledger; empty for a view.
    """

    task: Task
    machine: Accelerator
    datapath: Datapath
    prefetched: int
    cost: LayerCost


def turns(graph: Graph, tasks: tuple[Task, ...], accelerator: Accelerator, plan: Plan) -> Iterator[Turn]:
    """Yield the layers one after the other; DRAM's idle time at the end of one is known to the next."""
    names = viewed(graph, tasks)
    machine = accelerator.model_copy(update={"layer": ()})
    idle = 0
    for given in tasks:
        datapath, ahead = accelerator.datapath_for(given.layer), 0
        task = on_chip(given, plan.resident, names)
        if task.work is None:
            yield Turn(task=task, machine=machine, datapath=datapath, prefetched=0, cost=LayerCost())
            continue
        if isinstance(task.work, Gemm):
            multiplier_bits(task.layer, task.work, datapath)
            early = plan.prefetch and may_come_early(plan.mappings[task.layer], machine)
            ahead = idle if early else 0
            cost = array_layer(plan.mappings[task.layer], machine, datapath, ahead)
        else:
            cost = vector_layer(task.work, machine, datapath)
        idle = cost.idle_tail
        yield Turn(task=task, machine=machine, datapath=datapath, prefetched=ahead, cost=cost)


def may_come_early(mapping: Mapping, machine: Accelerator) -> bool:
    """Return whether the first weights of a layer may come while the layer before still runs.

    A memory of two halves that holds weights alone has the other half for them; in one that other operands share, the
    layer before may still use every byte.
    """
    memory = machine.path_of("weight")[-1]
    return memory.double_buffered and memory.holds == ("weight",) and not mapping.gemm.weight_is_activation
