"""A mapping for every array layer of a network, and what stays on chip between layers."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.cost.energy import access_pj
from hwsim.cost.links import DRAM
from hwsim.cost.prices import leakage_pj_per_cycle
from hwsim.cost.vector_layer import vector_layer
from hwsim.energy import load_table
from hwsim.errors import MappingError
from hwsim.graph import Graph
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.datapath import Datapath
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.liveness import lifetimes, on_chip, viewed
from hwsim.mapping.lower import lower
from hwsim.mapping.plan import Plan
from hwsim.mapping.tasks import Task, VectorWork
from hwsim.mapping.widths import multiplier_bits
from hwsim.schedule.choose import Choice, Objective, choose
from hwsim.schedule.residency import Context, keep_on_chip


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a network is scheduled.

    Args:
        objective: what is minimized: ``cycles``, ``energy``, or ``edp``, their product.
        residency: activations stay on chip between layers where that helps.
        prefetch: the first weights of a layer come while DRAM is idle at the end of the layer before.
    """

    objective: Objective = "cycles"
    residency: bool = True
    prefetch: bool = True


def schedule(graph: Graph, accelerator: Accelerator, options: Options | None = None) -> Plan:
    """Return the plan of a network; equal layers are searched once.

    Raises:
        GraphError: the network has no grids.
        MappingError: a layer whose operands do not fit the multiplier, or of which no tile fits the memories.
    """
    options = options or Options()
    tasks = lower(graph)
    machine = accelerator.model_copy(update={"layer": ()})
    names = viewed(graph, tasks)

    def choose_task(i: int, context: Context) -> Choice:
        return _choice(tasks[i], machine, accelerator.datapath_for(tasks[i].layer), context, names, options.objective)

    choices = [choose_task(i, Context()) for i in range(len(tasks))]
    resident: frozenset[str] = frozenset()
    if options.residency:
        choices, resident = keep_on_chip(
            choices, lifetimes(graph, tasks), choose_task, machine, options.objective
        )
    mappings = {task.layer: choice.mapping for task, choice in zip(tasks, choices, strict=True) if choice.mapping}
    return Plan(mappings=mappings, resident=resident, prefetch=options.prefetch)


def _choice(
    task: Task, machine: Accelerator, datapath: Datapath, context: Context, names: dict[str, str], objective: Objective
) -> Choice:
    work = task.work
    if work is None:
        return Choice()
    if isinstance(work, Gemm):
        multiplier_bits(task.layer, work, datapath)
        try:
            return choose(
                work,
                machine,
                datapath,
                objective=objective,
                ifmap_on_chip=names[task.reads[0]] in context.resident,
                ofmap_on_chip=names[task.writes[0]] in context.resident,
                reserved_bytes=context.reserved_bytes,
            )
        except MappingError as error:
            raise MappingError(f"layer {task.layer!r}: {error}") from None
    kept = on_chip(task, context.resident, names).work
    assert isinstance(kept, VectorWork)
    return _vector_choice(kept, machine, datapath)


def _vector_choice(work: VectorWork, machine: Accelerator, datapath: Datapath) -> Choice:
    cost = vector_layer(work, machine, datapath)
    table = load_table(machine.energy_table)
    return Choice(
        cycles=cost.cycles.total,
        dram_bits=sum(row.count * row.bits for row in cost.accesses if row.memory == DRAM),
        energy_pj=leakage_pj_per_cycle(machine) * cost.cycles.total
        + sum(access_pj(row, machine, table) for row in cost.accesses),
    )
