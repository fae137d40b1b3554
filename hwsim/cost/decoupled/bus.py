"""The bus to DRAM, and the banks of the on-chip memories that it writes."""

from __future__ import annotations

from bisect import bisect_right

from hwsim.cost.decoupled.bursts import Merge


class Bus:
    """One answer channel of a beat a cycle: answers leave DRAM in the order of their requests.

    The answer to a request in cycle t begins in cycle t + latency, or when the beats before it have left. A read is taken
    only when the one before it has been merged into on-chip rows.
    """

    def __init__(self, latency_cycles: int) -> None:
        self.latency_cycles = latency_cycles
        self.read_requests = self.read_beats = self.write_requests = self.write_beats = 0
        self.last_answer = 0
        self._sent = self._taken = self._merged = 0

    def read(self, cycle: int, beats: int, merge: Merge) -> int:
        """Return the cycle of the first beat of a read's answer."""
        self.read_requests += 1
        self.read_beats += beats
        begin = max(cycle + self.latency_cycles, self._sent)
        self._sent = begin + beats
        begin = max(begin, self._taken, self._merged)
        self._taken, self._merged = begin + beats, begin + merge.next_cycle
        self.last_answer = max(self.last_answer, begin + beats - 1)
        return begin

    def write(self, beats: int) -> None:
        """Count a write request."""
        self.write_requests += 1
        self.write_beats += beats

    def written(self, cycle: int) -> None:
        """Answer a write whose last beat was in ``cycle``."""
        begin = max(cycle + self.latency_cycles, self._sent)
        self._sent = begin + 1
        begin = max(begin, self._taken)
        self._taken = begin + 1
        self.last_answer = max(self.last_answer, begin)


class Busy:
    """Cycles in which a memory bank is taken, entered in order, as intervals."""

    def __init__(self) -> None:
        self._begins: list[int] = []
        self._ends: list[int] = []

    def take(self, begin: int, end: int) -> None:
        """Take cycles ``begin`` to ``end - 1``; one that is taken already moves behind the last."""
        if self._ends and begin <= self._ends[-1]:
            self._ends[-1] += end - begin if begin < self._ends[-1] else end - self._ends[-1]
        else:
            self._begins.append(begin)
            self._ends.append(end)

    def free_from(self, cycle: int) -> tuple[int, int | None]:
        """Return the first free cycle from ``cycle`` on, and the first after it that is taken (None: none is known)."""
        place = bisect_right(self._ends, cycle)
        if place < len(self._begins) and self._begins[place] <= cycle:
            cycle, place = self._ends[place], place + 1
        return cycle, self._begins[place] if place < len(self._begins) else None
