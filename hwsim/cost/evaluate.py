"""``cost``: the whole network on the machine, as ledger, energy and area.

Layers run one after the other. Each reads its inputs from DRAM and writes its result there, but for what the plan keeps on
chip; the first weights of a layer may come while DRAM is idle at the end of the layer before.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from dataclasses import dataclass
from typing import Any

from hwsim.cost.area import area_table
from hwsim.cost.energy import energy_table
from hwsim.cost.gating import gated, zero_share
from hwsim.cost.ledger import STALLS, LayerCost, access_table, compute_table, cycle_table
from hwsim.cost.turns import turns
from hwsim.energy import load_table
from hwsim.graph import Graph
from hwsim.hardware.accelerator import Accelerator
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.liveness import viewed
from hwsim.mapping.lower import lower
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.plan import Plan
from hwsim.mapping.tasks import Task
from hwsim.tables import Table
from hwsim.units import BITS_PER_BYTE


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CostReport:
    """What a network costs; tables as in ``hwsim.simulation.result.Result``."""

    layers: Table
    accesses: Table
    compute: Table
    cycles: Table
    energy: Table
    area: Table


def cost(
    graph: Graph,
    accelerator: Accelerator,
    plan: Plan,
    products: MappingType[str, tuple[int, int]] | None = None,
) -> CostReport:
    """Return the cost of one inference of ``graph.batch`` images.

    Args:
        graph: a quantized network; widths suffice, scales are not read.
        accelerator: the machine.
        plan: of ``hwsim.schedule.schedule``.
        products: (those that toggle, all) by layer, as an execution on a machine with zero gating counted them.
    """
    tasks = lower(graph)
    counted = products or {}
    costs = {
        turn.task.layer: gated(turn.cost, zero_share(turn.datapath, counted.get(turn.task.layer)))
        for turn in turns(graph, tasks, accelerator, plan)
    }
    mappings = plan.mappings
    prices = load_table(accelerator.energy_table)
    area = area_table(accelerator, prices, dict(mappings))
    energy = energy_table(costs, accelerator, prices, area.sum("leakage_mw"))
    accesses = access_table(costs)
    return CostReport(
        layers=_layer_table(graph, tasks, costs, accelerator, plan, energy, accesses),
        accesses=accesses,
        compute=compute_table(costs),
        cycles=cycle_table(costs),
        energy=energy,
        area=area,
    )


def _layer_table(
    graph: Graph,
    tasks: tuple[Task, ...],
    costs: dict[str, LayerCost],
    accelerator: Accelerator,
    plan: Plan,
    energy: Table,
    accesses: Table,
) -> Table:
    mappings, names = plan.mappings, viewed(graph, tasks)
    energies = energy.sum_by("layer", "energy_pj")
    dram = accesses.where(memory="dram")
    dram_bits: dict[str, int] = {}
    for row in dram.rows():
        dram_bits[row["layer"]] = dram_bits.get(row["layer"], 0) + row["count"] * row["bits"]
    lanes = accelerator.array.rows * accelerator.array.columns
    rows: list[dict[str, Any]] = []
    for task in tasks:
        layer, ledger = task.layer, costs[task.layer]
        cycles = ledger.cycles
        peak = lanes * mappings[layer].mac.macs_per_cycle if layer in mappings else lanes
        rows.append(
            {
                "layer": layer,
                "op": task.op,
                **_shape(task, accelerator, mappings),
                "macs": ledger.macs,
                "cycles": cycles.total,
                "compute_cycles": cycles.compute,
                "fill_cycles": cycles.fill,
                "drain_cycles": cycles.drain,
                "stall_cycles": cycles.stall,
                **{f"{name}_cycles": getattr(cycles, name) for name in STALLS},
                "vector_cycles": cycles.vector,
                "utilization": float(ledger.macs / (cycles.total * peak)) if ledger.macs else None,
                "dram_bytes": dram_bits.get(layer, 0) / BITS_PER_BYTE,
                "on_chip": _on_chip(task, plan, names),
                "energy_pj": energies.get(layer, 0.0),
            }
        )
    return Table.of_records(rows)


def _on_chip(task: Task, plan: Plan, names: MappingType[str, str]) -> str | None:
    """Return which activations of a layer do not pass through DRAM, None where all do."""
    if task.work is None:
        return None
    found = [
        f"{verb} {', '.join(kept)}"
        for verb, tensors in (("reads", task.reads), ("writes", task.writes))
        if (kept := [names[name] for name in tensors if names[name] in plan.resident])
    ]
    return "; ".join(found) or None


def _shape(task: Task, accelerator: Accelerator, mappings: MappingType[str, Mapping]) -> dict[str, Any]:
    work = task.work
    if not isinstance(work, Gemm):
        names = ("m", "k", "n", "groups", "segments", "weights", "activations", "psum", "accumulator", "requantizer")
        return dict.fromkeys((*names, "tile"))
    datapath, mapping = accelerator.datapath_for(task.layer), mappings[task.layer]
    return {
        "m": work.m,
        "k": work.k,
        "n": work.n,
        "groups": work.groups,
        "segments": len(work.segments) if work.has_scales else None,
        "weights": str(work.weight),
        "activations": str(work.ifmap),
        "psum": str(datapath.psum),
        "accumulator": str(datapath.accumulator),
        "requantizer": str(datapath.requantizer),
        "tile": f"{mapping.tile_m}x{mapping.tile_k}x{mapping.tile_n} {mapping.order}",
    }
