"""SCALE-Sim's report of a layer: closed forms for the array, a replay for DRAM."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from hwsim.cost.scalesim import ComputeReport, compute_report, scalesim_array, sram_words
from hwsim.errors import HwsimError
from hwsim.hardware.parts import SystolicArray
from hwsim.interchange.scalesim import Access, LayerReport, ScaleSimConfig, ScaleSimLayer, Topology
from hwsim.interchange.scalesim.machine import BYTES_PER_KB
from hwsim.kernels.scalesim import Demand, ReadReplay, replay_reads, replay_writes
from hwsim.simulation.scalesim.demand import filter_demand, ifmap_demand, results_of
from hwsim.simulation.scalesim.prefetch import ACTIVE_SETS, prefetched, set_words

HIT_CYCLES = 1  # from a request to its word, where the buffer has it


def report_topology(config: ScaleSimConfig, topology: Topology) -> tuple[LayerReport, ...]:
    """Return SCALE-Sim's report of every layer.

    In ``CALC`` mode all of its numbers. In ``USER`` mode what does not depend on its stalls: cycles without them, mapping
    efficiency, compute utilization and SRAM words. The stalls of that mode are not copied, because they are not those of any
    machine: its read buffers count a stall twice and subtract negative ones (SCALE-Sim #130 and #100), prefetch the
    same lines again and again, count padding as words, and take the bandwidth of operands from keys of the layout, not from
    ``Bandwidth``. hwsim's own timing has stalls; ``hwsim run`` reports them.

    Raises:
        HwsimError: a layer for which the tool divides by zero, with the layer's name.
    """
    reports = []
    for layer in topology.layers:
        try:
            reports.append(report_layer(config, replace(layer, name="")))
        except HwsimError as error:
            raise HwsimError(f"{topology.name}: layer {layer.name!r}: {error}") from None
    return tuple(reports)


@lru_cache(maxsize=4096)
def report_layer(config: ScaleSimConfig, layer: ScaleSimLayer) -> LayerReport:
    """Return SCALE-Sim's report of one layer; equal layers of a network share it (give them equal names)."""
    array = scalesim_array(config)
    compute = compute_report(array, layer.sizes)
    words = sram_words(array, layer.sizes)
    if config.estimates_bandwidth:
        return _estimated(config, array, layer, compute, words)
    nothing = dict.fromkeys(words, Access())
    return LayerReport(
        cycles=compute.cycles,
        prefetch_cycles=None,
        stall_cycles=None,
        overall_percent=None,
        mapping_percent=compute.mapping_percent,
        compute_percent=compute.compute_percent,
        sram={operand: Access(words=count) for operand, count in words.items()},
        dram=nothing,
    )


def _estimated(
    config: ScaleSimConfig, array: SystolicArray, layer: ScaleSimLayer, compute: ComputeReport, words: dict[str, int]
) -> LayerReport:
    sizes = {"ifmap": config.ifmap_sram_kb * BYTES_PER_KB, "filter": config.filter_sram_kb * BYTES_PER_KB}
    writes = replay_writes(
        results_of(array, layer),
        fold_cycles=compute.fold_cycles,
        capacity=config.ofmap_sram_kb * BYTES_PER_KB,
        line_words=array.columns,
    )
    replays = {
        operand: _replayed(demand, compute, sizes[operand])
        for operand, demand in (("ifmap", ifmap_demand(array, layer)), ("filter", filter_demand(array, layer)))
    }

    sram = {
        operand: Access(
            words=words[operand],
            start_cycle=replay.first_cycle + HIT_CYCLES,
            stop_cycle=replay.last_cycle + HIT_CYCLES,
        )
        for operand, replay in replays.items()
    }
    sram["ofmap"] = Access(words=words["ofmap"], start_cycle=writes.first_cycle, stop_cycle=writes.last_cycle)
    dram = {operand: prefetched(replay, sizes[operand]) for operand, replay in replays.items()}
    first = min(access.start_cycle for access in dram.values() if access.start_cycle is not None)
    dram["ofmap"] = Access(
        words=writes.writes, start_cycle=writes.first_drain_cycle, stop_cycle=writes.last_drain_cycle
    )
    return LayerReport(
        cycles=compute.cycles,
        prefetch_cycles=writes.last_drain_cycle - first,
        stall_cycles=0,
        overall_percent=compute.overall_percent,
        mapping_percent=compute.mapping_percent,
        compute_percent=compute.compute_percent,
        sram=sram,
        dram=dram,
    )


def _replayed(demand: Demand, compute: ComputeReport, size_bytes: int) -> ReadReplay:
    return replay_reads(
        demand,
        row_folds=compute.row_folds,
        column_folds=compute.column_folds,
        fold_cycles=compute.fold_cycles,
        capacity=ACTIVE_SETS * set_words(size_bytes),
    )
