"""The queues between programs and units: commands enter in program order, wait for what they depend on, and issue in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from hwsim.cost.decoupled.agenda import Agenda
from hwsim.cost.decoupled.commands import LOOPS, Command, Program
from hwsim.hardware.decoupled import DecoupledUnits


@dataclass(slots=True, eq=False)
class Entry:
    """A command in its queue.

    Args:
        command: what it does.
        waits: commands of other units that must end before.
        dependents: entries that wait for it.
        issued: cycle in which it went to its unit.
    """

    command: Command
    waits: int = 0
    dependents: list[Entry] = field(default_factory=list)
    issued: int = -1


class Station:
    """One queue per unit.

    A cycle after its entry, or after the end of the last command it waits for, the oldest command of a queue issues; one a
    cycle and queue. It leaves its place in the queue when it ends.
    """

    def __init__(
        self, agenda: Agenda, program: Program, units: DecoupledUnits, start: dict[str, Callable[[int, Entry], None]]
    ) -> None:
        self._agenda, self._units, self._start = agenda, units, start
        self._streams = [deque(stream) for stream in program.streams]
        self._given = [0] * len(program.streams)
        self._room = {"load": units.load_queue, "execute": units.execute_queue, "store": units.store_queue}
        self._live: dict[str, list[Entry]] = {unit: [] for unit in self._room}
        self._waiting: dict[str, deque[Entry]] = {unit: deque() for unit in self._room}
        self._issued = dict.fromkeys(self._room, -1)
        self._next: int | None = None
        self._loops = program.loops
        self._left = [sum(c.loop == i for s in program.streams for c in s) for i in range(program.loops)]
        self._known: list[int | None] = [None] * max(program.loops, 1)
        for loop in range(min(LOOPS, program.loops)):
            self._known[loop] = program.start + loop * units.loop_commands + units.loop_cycles
        self._release = units.loop_release_cycles if program.loops else units.release_cycles
        if not program.loops:
            self._known[0] = 0
        self._wake(self._known[0] or 0)

    @property
    def left(self) -> int:
        """Commands that were not given out."""
        return sum(len(stream) for stream in self._streams)

    def ends(self, cycle: int, entry: Entry) -> None:
        """Take a command out of its queue."""
        self._live[entry.command.unit].remove(entry)
        for other in entry.dependents:
            other.waits -= 1
            if not other.waits:
                self._agenda.at(cycle + 1, self._issue, other.command.unit)
        self._wake(cycle + self._release)

    def _wake(self, cycle: int) -> None:
        if self._next is None or cycle < self._next:
            self._next = cycle
            self._agenda.at(cycle, self._give_out)

    def _give_out(self, cycle: int) -> None:
        if self._next != cycle:
            return
        self._next = None
        later = []
        for number, stream in enumerate(self._streams):
            if not stream:
                continue
            command = stream[0]
            known = self._known[command.loop]
            if known is None:
                continue
            if max(known, command.arrival) > cycle:
                later.append(max(known, command.arrival))
            elif self._may_enter(command):
                stream.popleft()
                self._given[number] += 1
                self._enter(cycle, command)
                self._wake(cycle + 1)
                return
        if later:
            self._wake(min(later))

    def _may_enter(self, command: Command) -> bool:
        full = len(self._live[command.unit]) >= self._room[command.unit]
        return not full and all(self._given[stream] >= count for stream, count in command.after)

    def _enter(self, cycle: int, command: Command) -> None:
        entry = Entry(command)
        for unit, entries in self._live.items():
            if unit != command.unit:
                for other in entries:
                    if _depends(command, other.command):
                        entry.waits += 1
                        other.dependents.append(entry)
        self._live[command.unit].append(entry)
        self._waiting[command.unit].append(entry)
        self._agenda.at(cycle + 1, self._issue, command.unit)
        if self._loops:
            self._left[command.loop] -= 1
            following = command.loop + LOOPS
            if not self._left[command.loop] and following < self._loops:
                self._known[following] = cycle + self._units.loop_turn_cycles
                self._wake(cycle + self._units.loop_turn_cycles)

    def _issue(self, cycle: int, unit: str) -> None:
        waiting = self._waiting[unit]
        if not waiting or waiting[0].waits:
            return
        if self._issued[unit] >= cycle:
            self._agenda.at(self._issued[unit] + 1, self._issue, unit)
            return
        entry = waiting.popleft()
        self._issued[unit] = entry.issued = cycle
        if waiting:
            self._agenda.at(cycle + 1, self._issue, unit)
        if entry.command.kind == "configure" and unit != "execute":
            self.ends(cycle, entry)
        self._start[unit](cycle, entry)


def _depends(new: Command, old: Command) -> bool:
    """Whether a new command touches rows that an older one of another unit writes, or writes rows that it reads."""
    reads_written = any(rows.meets(old.writes) for rows in new.reads)
    writes_used = new.writes is not None and (
        new.writes.meets(old.writes) or any(rows.meets(new.writes) for rows in old.reads)
    )
    return reads_written or writes_used
