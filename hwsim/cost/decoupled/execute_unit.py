"""The execute unit: blocks stream through the array, the next stationary operand beside them."""

from __future__ import annotations

from collections import deque
from itertools import islice

from hwsim.cost.array_cycles import skew
from hwsim.cost.decoupled.agenda import Agenda
from hwsim.cost.decoupled.bus import Busy
from hwsim.cost.decoupled.commands import Rows
from hwsim.cost.decoupled.station import Entry, Station
from hwsim.cost.decoupled.work import Stores
from hwsim.hardware.decoupled import DecoupledUnits
from hwsim.hardware.parts import SystolicArray


class ExecuteUnit:
    """Preloads and computes in order.

    A compute streams together with the preload behind it if that and its own compute are there by then; else alone, and
    the preload follows alone. A block takes as many cycles as it has vectors, a whole block where a new stationary
    operand enters or results stay in the array. A read waits while the bus writes its bank.
    """

    station: Station

    def __init__(
        self,
        agenda: Agenda,
        banks: list[Busy],
        sums: list[Busy],
        stores: Stores,
        units: DecoupledUnits,
        array: SystolicArray,
        known_cycles: int,
    ) -> None:
        self._agenda, self._banks, self._sums, self._stores, self._units = agenda, banks, sums, stores, units
        self._in_time = array.flow.reduces_in_time
        self._result_cycles = units.read_cycles + sum(skew(array))
        self._known_cycles = known_cycles
        self._commands: deque[Entry] = deque()
        self._loaded: Entry | None = None
        self._running, self._free = False, 0

    def start(self, cycle: int, entry: Entry) -> None:
        """Take a command from its queue."""
        self._commands.append(entry)
        self._agenda.at(cycle + self._units.start_cycles, self._next)

    def _next(self, cycle: int) -> None:
        if self._running or not self._commands:
            return
        if self._free > cycle:
            self._agenda.at(self._free, self._next)
            return
        there = [e for e in islice(self._commands, 3) if e.issued + self._units.start_cycles <= cycle]
        kinds = [entry.command.kind for entry in there]
        if kinds[:1] == ["configure"]:
            self._take(1)
            self._free = cycle + 1
            self.station.ends(cycle, there[0])
            self._agenda.at(cycle + 1, self._next)
        elif kinds[:3] == ["compute", "preload", "compute"]:
            self._take(2)
            self._begin(cycle, there[0], there[1], there[2])
        elif kinds[:1] == ["compute"]:
            self._take(1)
            self._begin(cycle, there[0], None, None)
        elif kinds[:2] == ["preload", "compute"]:
            self._take(1)
            self._begin(cycle, None, there[0], there[1])

    def _take(self, count: int) -> None:
        for _ in range(count):
            self._commands.popleft()

    def _begin(self, cycle: int, compute: Entry | None, preload: Entry | None, following: Entry | None) -> None:
        """Begin a compute, a preload, or both; ``following`` is the preload's compute."""
        self._running = True
        read: list[Rows] = []
        if self._in_time:
            read += [compute.command.reads[1]] if compute else []
            read += [following.command.reads[0]] if following else []
            cycles = self._stores.block
        else:
            read += compute.command.reads if compute else ()
            read += preload.command.reads if preload else ()
            cycles = max(compute.command.vectors if compute else 1, self._units.minimum_vectors)
            if preload and preload.command.reads:
                cycles = self._stores.block
        banks = sorted({rows.first // self._stores.operand_bank_rows for rows in read})
        self._stream(cycle, cycles, [self._banks[bank] for bank in banks], compute, preload)

    def _stream(self, cycle: int, left: int, banks: list[Busy], compute: Entry | None, preload: Entry | None) -> None:
        """Read a row from each bank in every cycle in which none is written, as far ahead as the writes are known."""
        horizon = cycle + self._known_cycles
        while left and cycle <= horizon:
            free = [bank.free_from(cycle) for bank in banks]
            begin = max((start for start, _ in free), default=cycle)
            if begin > cycle:
                cycle = begin
                continue
            count = min([left, horizon - cycle + 1, *(taken - cycle for _, taken in free if taken is not None)])
            left -= count
            cycle += count
        if left:
            self._agenda.at(cycle, self._stream, left, banks, compute, preload)
        else:
            self._agenda.at(cycle - 1, self._streamed, compute, preload)

    def _streamed(self, cycle: int, compute: Entry | None, preload: Entry | None) -> None:
        """End a block whose last row was read in ``cycle``; what it made leaves the array later."""
        self._running, self._free = False, cycle + 1
        self._agenda.at(cycle + 1, self._next)
        if compute:
            self._agenda.at(cycle + 1, self.station.ends, compute)
            self._results(cycle)
        if preload:
            self._loaded = preload
            if preload.command.writes is None:
                self._agenda.at(cycle + (2 if compute else 1), self.station.ends, preload)

    def _results(self, cycle: int) -> None:
        """Let the results of the compute that streamed leave, as its preload said."""
        made, self._loaded = self._loaded, None
        if made is None or made.command.writes is None:
            return
        last = cycle + self._result_cycles
        self._agenda.at(last, self.station.ends, made)
        if made.command.accumulates:
            bank = made.command.writes.first // self._stores.sum_bank_rows
            self._sums[bank].take(last - made.command.vectors + 1, last + 1)
