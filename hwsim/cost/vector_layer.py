"""Ledger rows of the vector unit: element-wise work, pooling, moves, everything that is not an array product.

The unit streams: its operands come from DRAM through the on-chip memories, its results go back, and ``lanes`` elements of
one operation finish per cycle. Time is the longest of the lanes', the DRAM channel's and the ports', plus the latency of
the first access.
"""

from __future__ import annotations

from functools import lru_cache

from hwsim.cost.ledger import Access, Compute, Cycles, LayerCost
from hwsim.cost.requantizers import second_bits
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.datapath import Datapath
from hwsim.mapping.tasks import Stream, VectorWork
from hwsim.units import ceil_div

REQUANTIZER_INPUT_BITS = 32


@lru_cache(maxsize=4096)
def vector_layer(work: VectorWork, accelerator: Accelerator, datapath: Datapath) -> LayerCost:
    """Return accesses, arithmetic and cycles of one vector operator."""
    accesses: list[Access] = []
    for stream in work.reads:
        home = accelerator.memory_of(stream.operand).name
        accesses += [
            _access("dram", stream, "read"),
            _access(home, stream, "write"),
            _access(home, stream, "read"),
        ]
    home = accelerator.memory_of("ofmap").name
    for stream in work.writes:
        accesses += [
            _access(home, stream, "write"),
            _access(home, stream, "read"),
            _access("dram", stream, "write"),
        ]
    compute = [
        Compute(unit="vector", action=kind, count=count, a_bits=work.bits) for kind, count in work.operations if count
    ]
    if work.outputs:
        unit = datapath.requantizer
        compute.append(
            Compute(
                unit="requantizer",
                action=unit.scheme,
                count=work.outputs,
                a_bits=REQUANTIZER_INPUT_BITS,
                b_bits=second_bits(unit, work.bits),
            )
        )
    lanes = sum(ceil_div(count, accelerator.vector.lanes) for _, count in work.operations)
    lanes = max(lanes, ceil_div(work.outputs, accelerator.vector.requantizer_lanes))
    waiting = (
        max(_channel_cycles(work, accelerator), _port_cycles(accesses, accelerator)) + accelerator.dram.latency_cycles
    )
    cycles = Cycles(vector=lanes, stall=max(waiting - lanes, 0))
    return LayerCost(accesses=tuple(accesses), compute=tuple(compute), cycles=cycles)


def _access(memory: str, stream: Stream, action: str) -> Access:
    return Access(memory=memory, operand=stream.operand, action=action, count=stream.elements, bits=stream.bits)


def _channel_cycles(work: VectorWork, accelerator: Accelerator) -> int:
    bits = sum(stream.elements * stream.bits for stream in (*work.reads, *work.writes))
    return ceil_div(bits, accelerator.dram.bits_per_cycle)


def _port_cycles(accesses: list[Access], accelerator: Accelerator) -> int:
    busiest = 0
    for level in accelerator.memory:
        for action, width in (("read", level.read_bits_per_cycle), ("write", level.write_bits_per_cycle)):
            bits = sum(a.count * a.bits for a in accesses if a.memory == level.name and a.action == action)
            busiest = max(busiest, ceil_div(bits, width))
    return busiest
