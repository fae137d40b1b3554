"""The load unit: rows become bus requests, answers become on-chip rows."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from hwsim.cost.decoupled.agenda import Agenda
from hwsim.cost.decoupled.bursts import Burst, bursts, merge
from hwsim.cost.decoupled.bus import Bus, Busy
from hwsim.cost.decoupled.commands import Transfer
from hwsim.cost.decoupled.station import Entry, Station
from hwsim.cost.decoupled.work import Stores
from hwsim.hardware.decoupled import DecoupledUnits


@dataclass(slots=True, eq=False)
class _Move:
    """A load command that moves data: its rows given to the bus, and requests without their rows on chip."""

    entry: Entry
    transfer: Transfer
    row: int = 0
    pending: int = 0


@dataclass(frozen=True, slots=True)
class _Request:
    move: _Move
    burst: Burst
    row: int
    entered: int


class LoadUnit:
    """Loads in order; the next one gives out rows while the requests of the one before are under way.

    A row that is copied (a shared bias) takes a cycle per copy; rows that arrive meanwhile take turns with the copies, so
    that both end when all are written.
    """

    station: Station

    def __init__(
        self,
        agenda: Agenda,
        bus: Bus,
        banks: list[Busy],
        stores: Stores,
        units: DecoupledUnits,
        sizes: tuple[int, int, int],
    ) -> None:
        self._agenda, self._bus, self._banks, self._stores, self._units = agenda, bus, banks, stores, units
        self._beat_bytes, *self._row_bytes = sizes
        self._commands: deque[Entry] = deque()
        self._moves = 0
        self._current: _Move | None = None
        self._free = 0
        self._requests: deque[_Request] = deque()
        self._in_flight, self._last_request = 0, -1
        self._scheduled = self._row_waits = False
        self._copied = 0
        self._copying: _Move | None = None

    def start(self, cycle: int, entry: Entry) -> None:
        """Take a command from its queue."""
        self._commands.append(entry)
        self._agenda.at(cycle + 1, self._next)

    def _next(self, cycle: int) -> None:
        if self._current is not None or not self._commands:
            return
        if self._free > cycle:
            self._agenda.at(self._free, self._next)
            return
        transfer = self._commands[0].command.transfer
        if transfer is None:
            self._commands.popleft()
            self._free = cycle + 1
            self._agenda.at(cycle + 1, self._next)
        elif self._moves < self._units.moves_in_flight:
            self._moves += 1
            self._current = _Move(self._commands.popleft(), transfer)
            self._row(cycle)

    def _row(self, cycle: int) -> None:
        move = self._current
        if move is None:
            return
        if len(self._requests) >= self._units.prefetch_rows:
            self._row_waits = True
            return
        transfer = move.transfer
        address = transfer.address + move.row * transfer.stride_bytes
        for burst in bursts(address, transfer.row_bytes, self._beat_bytes, self._units.request_bytes):
            self._requests.append(_Request(move, burst, transfer.first_row + move.row, cycle))
            move.pending += 1
        move.row += 1
        self._schedule(cycle)
        if move.row < transfer.rows:
            self._agenda.at(cycle + 1, self._row)
        else:
            self._current, self._free = None, cycle + 1
            self._agenda.at(cycle + 1, self._next)

    def _schedule(self, cycle: int) -> None:
        if not self._scheduled and self._requests:
            self._scheduled = True
            ready = self._requests[0].entered + self._units.request_cycles
            self._agenda.at(max(cycle, self._last_request + 1, ready), self._request)

    def _request(self, cycle: int) -> None:
        self._scheduled = False
        if self._in_flight >= self._units.requests_in_flight:
            return
        request = self._requests.popleft()
        self._in_flight += 1
        self._last_request = cycle
        self._answer(cycle, request)
        if self._row_waits and len(self._requests) < self._units.prefetch_rows:
            self._row_waits = False
            self._agenda.at(cycle, self._row)
        self._schedule(cycle + 1)

    def _answer(self, cycle: int, request: _Request) -> None:
        burst, operands = request.burst, request.move.entry.command.writes
        is_operand = operands is not None and operands.memory == "operands"
        width = self._row_bytes[0 if is_operand else 1]
        merged = merge(burst, self._beat_bytes, width)
        begin = self._bus.read(cycle, burst.beats, merged)
        delay = self._units.operand_write_cycles if is_operand else self._units.sum_write_cycles
        copies = request.move.transfer.copies
        for number, leaves in enumerate(merged.row_cycles):
            free = begin + leaves + delay
            written = max(free, self._copied)
            if copies > 1 or written > free:
                self._copied = written + copies
            if copies > 1:
                self._copying = request.move
            if is_operand:
                row = request.row + (burst.offset_bytes // width + number) * self._stores.block
                self._banks[row // self._stores.operand_bank_rows].take(written, written + 1)
        self._agenda.at(begin + burst.beats - 1 + self._units.reuse_cycles, self._reuse)
        self._agenda.at(written + copies, self._arrived, request.move)

    def _reuse(self, cycle: int) -> None:
        self._in_flight -= 1
        self._schedule(cycle)

    def _arrived(self, cycle: int, move: _Move) -> None:
        move.pending -= 1
        if move.pending or move.row < move.transfer.rows:
            return
        if move is self._copying and self._copied > cycle:
            move.pending = 1
            self._agenda.at(self._copied, self._arrived, move)
            return
        self._moves -= 1
        self.station.ends(cycle, move.entry)
        self._agenda.at(cycle + 1, self._next)
