"""The store unit: result rows are read, requantized and written to DRAM."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from hwsim.cost.decoupled.agenda import Agenda
from hwsim.cost.decoupled.bursts import bursts
from hwsim.cost.decoupled.bus import Bus, Busy
from hwsim.cost.decoupled.commands import Transfer
from hwsim.cost.decoupled.station import Entry, Station
from hwsim.cost.decoupled.work import Stores
from hwsim.hardware.decoupled import DecoupledUnits


@dataclass(slots=True, eq=False)
class _Move:
    """A store command that moves data: the next row, and the next block of it."""

    entry: Entry
    transfer: Transfer
    row: int = 0
    block: int = 0


class StoreUnit:
    """Stores in order, a block of a row at a time.

    A read waits while the array adds to its bank, and while ``result_rows`` are under way. The requantizer holds
    ``scale_slots`` for ``scale_cycles`` each. The writer collects the blocks of a row, then sends its beats. A command ends
    when its last block is read.
    """

    station: Station

    def __init__(
        self, agenda: Agenda, bus: Bus, sums: list[Busy], stores: Stores, units: DecoupledUnits, beat_bytes: int
    ) -> None:
        self._agenda, self._bus, self._sums, self._stores, self._units = agenda, bus, sums, stores, units
        self._beat_bytes = beat_bytes
        self._commands: deque[Entry] = deque()
        self._moves = 0
        self._current: _Move | None = None
        self._read = self._last_beat = -1
        self._accepted: deque[int] = deque(maxlen=max(units.result_rows, units.scale_slots))
        self._answers: deque[int] = deque()

    def start(self, cycle: int, entry: Entry) -> None:
        """Take a command from its queue."""
        self._commands.append(entry)
        self._agenda.at(cycle + 1, self._next)

    def _next(self, cycle: int) -> None:
        if self._current is not None or not self._commands:
            return
        transfer = self._commands[0].command.transfer
        if transfer is None:
            self._commands.popleft()
            self._agenda.at(cycle + 1, self._next)
        elif self._moves < self._units.moves_in_flight:
            self._moves += 1
            self._current = _Move(self._commands.popleft(), transfer)
            self._block(cycle + 1)

    def _block(self, cycle: int) -> None:
        """Read the next block as soon as it may be."""
        move = self._current
        if move is None:
            return
        ready = max(cycle, self._read + 1)
        if len(self._accepted) >= self._units.result_rows:
            ready = max(ready, self._accepted[-self._units.result_rows] - 1)
        ready, _ = self._sums[move.transfer.first_row // self._stores.sum_bank_rows].free_from(ready)
        if ready > cycle:
            self._agenda.at(ready, self._block)
        else:
            self._read_block(cycle, move)

    def _read_block(self, cycle: int, move: _Move) -> None:
        self._read = cycle
        accepted = cycle + self._units.store_cycles - 1
        if self._accepted:
            accepted = max(accepted, self._accepted[-1] + 1)
        if len(self._accepted) >= self._units.scale_slots:
            accepted = max(accepted, self._accepted[-self._units.scale_slots] + self._units.scale_cycles)
        if move.block == 0:
            accepted = max(accepted, self._last_beat)
        self._accepted.append(accepted)
        move.block += 1
        if move.block == move.transfer.blocks:
            self._send(accepted + 1, move)
            move.block, move.row = 0, move.row + 1
        if move.row == move.transfer.rows:
            self._current = None
            self._agenda.at(cycle + 1, self._ends, move)
            self._agenda.at(cycle, self._next)
        else:
            self._agenda.at(cycle + 1, self._block)

    def _send(self, cycle: int, move: _Move) -> None:
        """Send a row's beats from ``cycle`` on; each waits while all requests are without their answer."""
        transfer = move.transfer
        address = transfer.address + move.row * transfer.stride_bytes
        for burst in bursts(address, transfer.row_bytes, self._beat_bytes, self._units.request_bytes):
            self._bus.write(burst.beats)
            for beat in range(burst.beats):
                earlier = self._units.requests_in_flight - (1 if beat else 0)
                cycle = self._when_free(cycle, max(earlier, 1)) + 1
            last = cycle - 1
            self._answers.append(last + self._bus.latency_cycles + self._units.reuse_cycles)
            self._agenda.at(last, self._bus.written)
        self._last_beat = cycle - 1

    def _when_free(self, cycle: int, limit: int) -> int:
        """Return the first cycle from ``cycle`` on with fewer than ``limit`` requests of earlier rows in flight."""
        while self._answers and self._answers[0] <= cycle:
            self._answers.popleft()
        while len(self._answers) >= limit:
            cycle = self._answers.popleft()
        return cycle

    def _ends(self, cycle: int, move: _Move) -> None:
        self._moves -= 1
        self.station.ends(cycle, move.entry)
        self._agenda.at(cycle, self._next)
