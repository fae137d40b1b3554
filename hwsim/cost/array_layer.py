"""All ledger rows of one array layer."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from hwsim.cost import traffic
from hwsim.cost.array_cycles import load_cycles, sequence_cycles, tail_cycles, tile_cycles
from hwsim.cost.array_work import array_work
from hwsim.cost.groups import finish_time
from hwsim.cost.ledger import Cycles, LayerCost
from hwsim.cost.pipeline import Pipeline
from hwsim.cost.steps import Steps, steps_of
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.datapath import Datapath
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.widths import accumulator_bits


@lru_cache(maxsize=4096)
def array_layer(mapping: Mapping, accelerator: Accelerator, datapath: Datapath) -> LayerCost:
    """Return accesses, arithmetic and cycles of a GEMM with its mapping on a machine."""
    steps = steps_of(mapping)
    return LayerCost(
        accesses=traffic.accesses(mapping, steps, accelerator, datapath),
        compute=array_work(mapping, steps, datapath),
        cycles=array_cycles(mapping, accelerator, datapath),
        macs=mapping.gemm.macs,
    )


def dram_bits(mapping: Mapping) -> int:
    """Return the bits that cross the chip's edge, biases left out."""
    gemm, steps = mapping.gemm, steps_of(mapping)
    one = (
        int(steps.ifmap.sum()) * gemm.ifmap.bits
        + int(steps.weight.sum()) * gemm.weight.bits
        + int(steps.ofmap.sum()) * gemm.ofmap.bits
    )
    return one * gemm.groups


def array_cycles(mapping: Mapping, accelerator: Accelerator, datapath: Datapath) -> Cycles:
    """Return the cycles of a GEMM: the array's own, and the stalls that DRAM, ports and requantizers add."""
    steps = steps_of(mapping)
    ideal = sequence_cycles(mapping.array, steps.sizes(), mapping.gemm.groups)
    pipeline = pipeline_of(mapping, steps, accelerator, datapath)
    end = finish_time(pipeline, mapping, accelerator, accumulator_bits(mapping.gemm, datapath))
    return Cycles(compute=ideal.compute, fill=ideal.fill, drain=ideal.drain, stall=end - ideal.total)


def pipeline_of(mapping: Mapping, steps: Steps, accelerator: Accelerator, datapath: Datapath) -> Pipeline:
    """Return the steps as cycles on the channel and in the array."""
    gemm, array = mapping.gemm, mapping.array
    idle, busy = tile_cycles(array, steps.sizes())
    busy = np.maximum(busy, traffic.port_cycles(mapping, steps, accelerator, datapath))
    busy = np.maximum(busy, -(-steps.ofmap // accelerator.vector.requantizer_lanes))
    new = steps.ofmap if array.flow.stationary == "psum" else getattr(steps, array.flow.stationary)
    preload = np.where(new > 0, load_cycles(array), 0)
    preload[0] = load_cycles(array)
    return Pipeline(
        load=traffic.load_cycles(gemm, steps, accelerator, datapath),
        preload=preload,
        idle=idle,
        busy=busy,
        store=traffic.store_cycles(gemm, steps, accelerator),
        latency=accelerator.dram.latency_cycles,
        tail=tail_cycles(array),
        double_buffered=all(accelerator.memory_of(operand).double_buffered for operand in ("ifmap", "weight")),
        output_buffered=accelerator.memory_of("ofmap").double_buffered,
        repeats=gemm.groups,
    )
