"""Tiles in time: loads, computation and stores as an event recurrence over one DRAM channel.

Step i may stream when its tile has arrived (and, where the stationary operand is new, has entered the array), and step
i - 1 is done. Its load may start when the channel is free and its buffer is: with double buffering when step i - 2 is done,
else when step i - 1 is. The channel serves the load of step i + 1 before the store of step i. Data arrive ``latency``
cycles after the channel sent them; results leave the array ``tail`` cycles after the step is done.

    sent[i]   = max(channel free, done[i - 2 or i - 1]) + load[i]
    done[i]   = max(done[i - 1] + idle[i], sent[i] + latency + preload[i]) + busy[i]
    stored[i] = max(channel free, done[i] + tail) + store[i]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pipeline:
    """A sequence of steps that runs ``repeats`` times; arrays are cycles, int64 ``[steps]``.

    Args:
        load: on the channel before the step.
        preload: from arrival to the first streamed operand.
        idle: of the array in front of the step, after the step before (the first step of all has none).
        busy: of the array in the step.
        store: on the channel after the step.
        latency: from the channel to the buffer.
        tail: from the end of a step to its last result.
        double_buffered: whether loads run under computation.
        output_buffered: whether a step may compute while the results of the one before are stored.
        repeats: how often the sequence runs (groups).
    """

    load: np.ndarray
    preload: np.ndarray
    idle: np.ndarray
    busy: np.ndarray
    store: np.ndarray
    latency: int = 0
    tail: int = 0
    double_buffered: bool = True
    output_buffered: bool = True
    repeats: int = 1

    def finish_time(self) -> int:
        """Return the cycle in which the last result, or its store, ends.

        The state between repeats, relative to ``done``, decides all that follows: once a state comes back, whole periods
        are skipped. This is exact.
        """
        rows = list(
            zip(*(a.tolist() for a in (self.load, self.preload, self.idle, self.busy, self.store)), strict=True)
        )
        pending, done = 0, -int(self.idle[0])
        free = before = 0
        seen: dict[tuple[int, int], tuple[int, int]] = {}
        left = self.repeats
        while left:
            free, before, done, pending = self._round(rows, free, before, done, pending)
            left -= 1
            state = (max(free, before) - done, before - done)
            if state in seen:
                past_left, past_done = seen[state]
                periods, left = divmod(left, past_left - left)
                skipped = periods * (done - past_done)
                free, before, done = free + skipped, before + skipped, done + skipped
                seen.clear()
            seen[state] = (left, done)
        return max(free, done + self.tail) + pending

    def _round(
        self, rows: list[tuple[int, ...]], free: int, before: int, done: int, pending: int
    ) -> tuple[int, int, int, int]:
        for load, preload, idle, busy, store in rows:
            start = done + idle
            if load:
                free = max(free, before if self.double_buffered else done) + load
                start = max(start, free + self.latency + preload)
            if pending:
                free = max(free, done + self.tail) + pending
                if not self.output_buffered:
                    start = max(start, free)
            before, done, pending = done, start + busy, store
        return free, before, done, pending
