"""A product on a machine with decoupled units: when it is done, and what crossed the bus."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.cost.decoupled.agenda import Agenda
from hwsim.cost.decoupled.bus import Bus, Busy
from hwsim.cost.decoupled.commands import Program
from hwsim.cost.decoupled.execute_unit import ExecuteUnit
from hwsim.cost.decoupled.load_unit import LoadUnit
from hwsim.cost.decoupled.loops import loop_program
from hwsim.cost.decoupled.station import Station
from hwsim.cost.decoupled.store_unit import StoreUnit
from hwsim.cost.decoupled.stream import host_program
from hwsim.cost.decoupled.work import Stores, Work
from hwsim.errors import ConfigError
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.decoupled import DecoupledUnits
from hwsim.units import BITS_PER_BYTE

PAIR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What a run took.

    Args:
        cycles: from the host's first command until the machine is idle.
        read_requests, read_beats, read_bytes: from DRAM, whole beats.
        write_requests, write_beats, write_bytes: to DRAM; bytes are those of the result.
    """

    cycles: int
    read_requests: int
    read_beats: int
    read_bytes: int
    write_requests: int
    write_beats: int
    write_bytes: int


def timeline(work: Work, accelerator: Accelerator) -> Timeline:
    """Return the run of one product, an exact recurrence of events.

    The program is that of the array's dataflow: hardware loops where weights are stationary, commands of the host where
    outputs are. DRAM answers in order, ``dram.latency_cycles`` after a request, a beat of ``dram.bits_per_cycle`` a cycle,
    and always takes requests.

    Args:
        work: sizes and widths.
        accelerator: a machine with a [decoupled] table.

    Raises:
        ConfigError: a machine without one, an input-stationary or rectangular array, a beat that is no whole bytes.
        MappingError: memories that hold no block.
    """
    units = _units_of(accelerator)
    stores = Stores.of(accelerator, work)
    program = program_of(work, accelerator)
    agenda, bus = Agenda(), Bus(accelerator.dram.latency_cycles)
    beat_bytes = accelerator.dram.bits_per_cycle // BITS_PER_BYTE
    widths = (beat_bytes, stores.block * work.operand_bytes, stores.block * work.sum_bytes)
    operands = [Busy() for _ in range(-(-stores.operand_rows // stores.operand_bank_rows))]
    sums = [Busy() for _ in range(-(-stores.sum_rows // stores.sum_bank_rows))]
    written = operands if accelerator.memory_of("weight").ports == "1rw" else [Busy() for _ in operands]
    known = bus.latency_cycles + units.operand_write_cycles
    load = LoadUnit(agenda, bus, written, stores, units, widths)
    execute = ExecuteUnit(agenda, operands, sums, stores, units, accelerator.array, known)
    store = StoreUnit(agenda, bus, sums, stores, units, beat_bytes)
    station = Station(agenda, program, units, {"load": load.start, "execute": execute.start, "store": store.start})
    load.station = execute.station = store.station = station
    agenda.run()
    if station.left:
        raise RuntimeError(f"decoupled: {station.left} commands wait for one another")
    return Timeline(
        cycles=bus.last_answer + units.finish_cycles,
        read_requests=bus.read_requests,
        read_beats=bus.read_beats,
        read_bytes=bus.read_beats * beat_bytes,
        write_requests=bus.write_requests,
        write_beats=bus.write_beats,
        write_bytes=work.m * work.n * work.result_bytes,
    )


def program_of(work: Work, accelerator: Accelerator) -> Program:
    """Return the commands of a product: hardware loops where weights are stationary, else the host's.

    Raises:
        ConfigError, MappingError: as ``timeline``.
    """
    units, stores = _units_of(accelerator), Stores.of(accelerator, work)
    make = host_program if accelerator.array.flow.reduces_in_time else loop_program
    return make(work, stores, units)


def _units_of(accelerator: Accelerator) -> DecoupledUnits:
    units, beat_bits = accelerator.decoupled, accelerator.dram.bits_per_cycle
    if units is None:
        problem = "decoupled must be there to count commands; add a [decoupled] table (see gemmini_16x16)"
        raise ConfigError(accelerator.name, [problem])
    problems = []
    if accelerator.array.dataflow == "input_stationary":
        problems.append("array.dataflow must be weight_stationary or output_stationary to count commands")
    if beat_bits % BITS_PER_BYTE or units.request_bytes * BITS_PER_BYTE < beat_bits:
        problems.append(f"dram.bits_per_cycle must be whole bytes up to decoupled.request_bytes, not {beat_bits} bits")
    if units.execute_queue < PAIR:
        problems.append(
            f"decoupled.execute_queue must hold a preload and its compute, not {units.execute_queue} command"
        )
    if problems:
        raise ConfigError(accelerator.name, problems)
    return units
