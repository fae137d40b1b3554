"""Events of the Trace Event Format: complete slices ``X``, counters ``C``, and names ``M``.

Source: "Trace Event Format", Google, docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU. Times are in
microseconds. Viewers keep whole nanoseconds, so both ends of a slice are rounded to them: what nests in cycles nests in the
file, at any clock. Exact cycles stand in ``args``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Event = dict[str, Any]
PROCESS = 1
NS_PER_US = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Cycles to microseconds."""

    clock_mhz: float

    def us(self, cycle: float) -> float:
        """Return when a cycle begins, in whole nanoseconds.

        >>> Clock(clock_mhz=700).us(1)
        0.001
        """
        return round(cycle * NS_PER_US / self.clock_mhz) / NS_PER_US

    def slice(self, track: int, name: str, begin: int, end: int, **args: Any) -> Event:
        """Return a slice of a track from cycle ``begin`` to ``end``."""
        start_ns, stop_ns = (round(cycle * NS_PER_US / self.clock_mhz) for cycle in (begin, end))
        return {
            "ph": "X", "name": name, "pid": PROCESS, "tid": track, "ts": start_ns / NS_PER_US,
            "dur": (stop_ns - start_ns) / NS_PER_US, "args": {"begin_cycle": begin, "cycles": end - begin, **args},
        }  # fmt: skip

    def counter(self, name: str, cycle: float, values: dict[str, float]) -> Event:
        """Return the values of a counter track from ``cycle`` on."""
        return {"ph": "C", "name": name, "pid": PROCESS, "tid": 0, "ts": self.us(cycle), "args": values}


def process_name(name: str) -> Event:
    """Return the event that names the process."""
    return {"ph": "M", "name": "process_name", "pid": PROCESS, "tid": 0, "ts": 0, "args": {"name": name}}


def track_name(track: int, name: str) -> list[Event]:
    """Return the events that name a track and keep tracks in the order of their numbers."""
    common = {"ph": "M", "pid": PROCESS, "tid": track, "ts": 0}
    return [
        {**common, "name": "thread_name", "args": {"name": name}},
        {**common, "name": "thread_sort_index", "args": {"sort_index": track}},
    ]
