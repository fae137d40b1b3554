"""Ledger rows of the vector unit: element-wise work, pooling, moves, everything that is not an array product.

The unit streams: its operands come from DRAM through the on-chip memories, its results go back, and ``lanes`` elements of
one operation finish per cycle. Time is the longest of the lanes', the DRAM channel's and the ports', plus the latency of
the first access.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from hwsim.cost.ledger import Access, Compute, Cycles, LayerCost
from hwsim.cost.links import DRAM
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.datapath import Datapath
from hwsim.hardware.requantizer_circuit import constant_bits, second_bits
from hwsim.mapping.tasks import Stream, VectorWork
from hwsim.units import ceil_div

REQUANTIZER_INPUT_BITS = 32


@lru_cache(maxsize=4096)
def vector_layer(work: VectorWork, accelerator: Accelerator, datapath: Datapath) -> LayerCost:
    """Return accesses, arithmetic and cycles of one vector operator."""
    reads = work.reads
    if work.scales:
        bits = constant_bits(datapath.requantizer, REQUANTIZER_INPUT_BITS, work.writes[0].bits)
        reads = (*reads, Stream(operand="weight", elements=work.scales, bits=bits))
    accesses = [access for stream in reads for access in _read(stream, accelerator)]
    accesses += [access for stream in work.writes for access in _write(stream, accelerator)]
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
    loads = _dram_cycles(reads, accelerator)
    stores = _dram_cycles(work.writes, accelerator)
    together = max(loads, stores) if accelerator.dram.separate_writes else loads + stores
    latency = accelerator.dram.latency_cycles if loads else 0
    waits = {  # when the unit would end if this alone were slow
        "stall_port": _port_cycles(accesses, accelerator) + latency,
        "stall_ifmap": loads + latency,
        "stall_ofmap": together + latency,
    }
    stalls, reached = {}, lanes
    for cause, end in waits.items():
        stalls[cause] = max(end - reached, 0)
        reached = max(reached, end)
    return LayerCost(
        accesses=tuple(accesses),
        compute=tuple(compute),
        cycles=Cycles(vector=lanes, **stalls),
        idle_tail=max(reached - loads - stores, 0),
    )


def _read(stream: Stream, accelerator: Accelerator) -> Iterator[Access]:
    """Yield the rows of a tensor on its way to the unit; one that stayed on chip is read where it stayed."""
    if stream.on_chip:
        yield _access(accelerator.resident_memory.name, stream, "read")
        return
    yield _access(DRAM, stream, "read")
    for memory in reversed(accelerator.path_of(stream.operand)):
        yield _access(memory.name, stream, "write")
        yield _access(memory.name, stream, "read")


def _write(stream: Stream, accelerator: Accelerator) -> Iterator[Access]:
    path = accelerator.path_of(stream.operand)
    for memory in path:
        yield _access(memory.name, stream, "write")
        if memory is not path[-1] or not stream.on_chip:
            yield _access(memory.name, stream, "read")
    if not stream.on_chip:
        yield _access(DRAM, stream, "write")


def _access(memory: str, stream: Stream, action: str) -> Access:
    return Access(memory=memory, operand=stream.operand, action=action, count=stream.elements, bits=stream.bits)


def _dram_cycles(streams: tuple[Stream, ...], accelerator: Accelerator) -> int:
    bits = sum(stream.elements * stream.bits for stream in streams if not stream.on_chip)
    return ceil_div(bits, accelerator.dram.bits_per_cycle)


def _port_cycles(accesses: list[Access], accelerator: Accelerator) -> int:
    """Return the cycles of the busiest port; a single port serves reads and writes in turn."""
    busiest = 0
    for memory in accelerator.memory:
        ports = [
            ceil_div(sum(a.count * a.bits for a in accesses if a.memory == memory.name and a.action == action), width)
            for action, width in (("read", memory.read_bits_per_cycle), ("write", memory.write_bits_per_cycle))
        ]
        busiest = max(busiest, sum(ports) if memory.ports == "1rw" else max(ports))
    return busiest
