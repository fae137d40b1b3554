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
            ahead = idle if plan.prefetch and not task.work.weight_is_activation else 0
            cost = array_layer(plan.mappings[task.layer], machine, datapath, ahead)
        else:
            cost = vector_layer(task.work, machine, datapath)
        idle = cost.idle_tail
        yield Turn(task=task, machine=machine, datapath=datapath, prefetched=ahead, cost=cost)
