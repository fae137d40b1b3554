"""A mapping for every array layer of a network, and what stays on chip between layers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

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
from hwsim.mapping.stated import StatedPlan
from hwsim.mapping.tasks import Task, VectorWork
from hwsim.mapping.widths import multiplier_bits
from hwsim.schedule.choose import Choice, Objective, choose
from hwsim.schedule.residency import Context, keep_on_chip, keep_stated
from hwsim.schedule.stated import stated_choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a network is scheduled.

    Args:
        objective: what is minimized: ``cycles``, ``energy``, or ``edp``, their product.
        residency: activations stay on chip between layers where that helps.
        prefetch: the first weights of a layer come while DRAM is idle at the end of the layer before.
        stated: mappings that are given, not searched, and what stays on chip where they say so; without ``residency`` or
            ``prefetch`` they cannot ask for it.
    """

    objective: Objective = "edp"
    residency: bool = True
    prefetch: bool = True
    stated: StatedPlan | None = None

    def __post_init__(self) -> None:
        for name, asked in (("residency", "resident"), ("prefetch", "prefetch")):
            if self.stated and getattr(self.stated, asked) and not getattr(self, name):
                raise MappingError(
                    f"stated mappings: {asked} asks for {name}, which is switched off; take the key out of the file, or "
                    f"leave --no-{name} out"
                )


def schedule(graph: Graph, accelerator: Accelerator, options: Options | None = None) -> Plan:
    """Return the plan of a network; equal layers are searched once.

    Raises:
        GraphError: the network has no grids.
        MappingError: a layer whose operands do not fit the multiplier, of which no tile fits the memories, or whose stated
            mapping is not legal; stated names that the network does not have.
    """
    options = options or Options()
    tasks = lower(graph)
    machine = accelerator.model_copy(update={"layer": ()})
    names = viewed(graph, tasks)

    def choose_task(i: int, context: Context) -> Choice:
        return _choice(tasks[i], machine, accelerator.datapath_for(tasks[i].layer), context, names, options)

    stated = options.stated
    if stated is not None:
        stated.check_names(task.layer for task in tasks if isinstance(task.work, Gemm))
    resident: frozenset[str] = frozenset()
    if stated is not None and stated.resident is not None:
        choices, resident = keep_stated(stated.resident, len(tasks), lifetimes(graph, tasks), choose_task)
    else:
        choices = [choose_task(i, Context()) for i in range(len(tasks))]
        if options.residency:
            alive = lifetimes(graph, tasks)
            choices, resident = keep_on_chip(choices, alive, choose_task, machine, options.objective)
    mappings = {task.layer: choice.mapping for task, choice in zip(tasks, choices, strict=True) if choice.mapping}
    prefetch = options.prefetch and not (stated is not None and stated.prefetch is False)
    return Plan(mappings=mappings, resident=resident, prefetch=prefetch)


def _choice(
    task: Task, machine: Accelerator, datapath: Datapath, context: Context, names: dict[str, str], options: Options
) -> Choice:
    work, home = task.work, machine.resident_memory
    if work is None:
        return Choice()
    if context.reserved_bytes > home.size_bytes:
        raise MappingError(
            f"layer {task.layer!r}: memory {home.name!r} has {home.size_bytes} bytes and activations that stay on chip need "
            f"{context.reserved_bytes}; keep fewer, or enlarge it: --set memory.{home.name}.size_bytes={context.reserved_bytes}"
        )
    if isinstance(work, VectorWork):
        kept = on_chip(task, context.resident, names).work
        assert isinstance(kept, VectorWork)
        return _vector_choice(kept, machine, datapath)
    multiplier_bits(task.layer, work, datapath)
    rule = options.stated.rule_of(task.layer) if options.stated else None
    find = choose if rule is None else partial(stated_choice, rule)
    try:
        return find(
            work,
            machine,
            datapath,
            objective=options.objective,
            ifmap_on_chip=names[task.reads[0]] in context.resident,
            ofmap_on_chip=names[task.writes[0]] in context.resident,
            reserved_bytes=context.reserved_bytes,
        )
    except MappingError as error:
        raise MappingError(f"layer {task.layer!r}: {error}") from None


def _vector_choice(work: VectorWork, machine: Accelerator, datapath: Datapath) -> Choice:
    cost = vector_layer(work, machine, datapath)
    table = load_table(machine.energy_table)
    return Choice(
        cycles=cost.cycles.total,
        dram_bits=sum(row.count * row.bits for row in cost.accesses if row.memory == DRAM),
        energy_pj=leakage_pj_per_cycle(machine) * cost.cycles.total
        + sum(access_pj(row, machine, table) for row in cost.accesses),
    )
