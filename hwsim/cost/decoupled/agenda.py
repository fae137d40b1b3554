"""Events in time."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any


class Agenda:
    """What happens when: actions of one cycle run in the order in which they were entered."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._entered = 0

    def at(self, cycle: int, action: Callable[..., None], *arguments: Any) -> None:
        """Enter ``action(cycle, *arguments)``."""
        self._entered += 1
        heapq.heappush(self._heap, (cycle, self._entered, action, arguments))

    def run(self) -> None:
        """Run every action, those that actions enter included."""
        while self._heap:
            cycle, _, action, arguments = heapq.heappop(self._heap)
            action(cycle, *arguments)
