"""Steps in time: loads, computation and stores as an event recurrence, and what the array waits for.

Per step, in this order (all times in cycles):

* every link that moves something (weights before ifmaps, outer links before inner ones) starts when its channel is free, its
  source holds the data, and its buffer is free: with two buffers when the tile before the last one is used up, else when
  the last one is. The data are there ``latency`` cycles after the channel sent them.
* results of the step before are stored, once the array's tail has left it. A store waits for its channel, and for room in
  the memory that it goes to.
* the step starts when the array is free, both inputs are there (a stationary one also entered the array, which takes
  ``preload`` cycles), and, if it finishes results, there is room for them.

Every cycle of waiting has one cause. The array waits for several things at a time; a cycle counts for the one that arrives
first of those still missing, so that the causes add up to the waiting. A step that is longer than the array needs waits for
the memories' ports or the requantizers; what the last stores take after the last result waits for the ofmap.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from hwsim.cost.links import DRAM, Link

ARRAY = "array"
CAUSES = ("ifmap", "weight", "ofmap", "port", "requantizer")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Transfer:
    """One link and its cycles in each step, int64 ``[steps]``; 0 where nothing moves."""

    link: Link
    cycles: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pipeline:
    """A sequence of steps; arrays are cycles, int64 ``[steps]``.

    Args:
        loads: transfers before the step, weights first, each operand's from the outermost link inwards.
        stores: transfers after the step, outwards.
        preload: from the arrival of ``stationary`` to the first streamed operand.
        stationary: the operand that ``preload`` waits for.
        idle: of the array in front of the step, after the step before (the first step of all has ``preload`` instead).
        array: of the array in the step.
        port, requantizer: of the memories' ports and of the requantizers in the step.
        finishes: bool, whether results leave the array in the step.
        output_buffered: whether the array's memory holds two tiles of results.
        tail: from the end of a step to its last result.
        prefetched: cycles of the first load of weights from DRAM that were done before the layer began.
    """

    loads: tuple[Transfer, ...]
    stores: tuple[Transfer, ...]
    preload: np.ndarray
    stationary: str
    idle: np.ndarray
    array: np.ndarray
    port: np.ndarray
    requantizer: np.ndarray
    finishes: np.ndarray
    output_buffered: bool
    tail: int = 0
    prefetched: int = 0


@dataclass(slots=True, kw_only=True)
class Timing:
    """When a layer ends, what it waited for, and how long DRAM was idle behind its last load.

    Args:
        end: the cycle in which the last result is stored, or leaves the array.
        stall: waiting cycles by cause.
        idle_tail: cycles after the last load in which the DRAM channel could fetch the next layer's first weights.
    """

    end: int = 0
    stall: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CAUSES, 0))
    idle_tail: int = 0


Event = Callable[[str, str, int, int, int], None]  # resource, what, step, begin, end


def run(pipeline: Pipeline, event: Event | None = None) -> Timing:
    """Return the timing of all steps; ``event`` is told of every transfer and of whatever the array does or waits for.

    The array's events follow one another without a gap from 0 to the end: ``fill`` (the first preload), ``switch`` (idle
    between steps), ``stall`` and its cause, ``compute``, ``drain`` (the tail).
    """
    timing = Timing()
    free: dict[str, int] = {}
    links = [transfer.link for transfer in pipeline.loads]
    outermost = [i == 0 or links[i - 1].operand != link.operand for i, link in enumerate(links)]
    innermost = [i + 1 == len(links) or links[i + 1].operand != link.operand for i, link in enumerate(links)]
    arrived = [0] * len(links)
    mark = [0] * len(links)  # when the tile before the present one was used up
    sent = [[0, 0] for _ in pipeline.stores]  # ends of the last two stores
    rows = _rows(pipeline)
    done, dram = 0, _Channel()
    to_store: list[int] = []
    for i, row in enumerate(rows):
        for j, (link, cycles) in enumerate(zip(links, row.loads, strict=True)):
            if not cycles:
                continue
            used_up = done if innermost[j] else arrived[j + 1]
            begin = max(_free(free, link), mark[j] if link.double_buffered else used_up)
            if not outermost[j]:
                begin = max(begin, arrived[j - 1])
            mark[j] = used_up
            early = pipeline.prefetched if i == 0 and link.source == DRAM and link.operand == "weight" else 0
            ahead = min(early, cycles)
            end = begin + cycles - ahead
            free[link.channel] = free[link.far_channel] = end
            arrived[j] = end + max(link.latency_cycles - early + ahead, 0)
            if link.source == DRAM:
                dram.loaded(end)
            if event and end > begin:
                event(link.channel, f"load {link.operand}", i, begin, end)
        if any(to_store):
            _store(pipeline, to_store, done + pipeline.tail, free, sent, dram, i - 1, event)
        ready = done + row.idle if i else row.preload
        waits = {link.operand: arrived[j] for j, link in enumerate(links) if innermost[j]}
        if pipeline.stationary in waits:
            waits[pipeline.stationary] += row.preload
        if row.finishes and sent:
            waits["ofmap"] = sent[0][1] if pipeline.output_buffered else sent[0][0]
        if event and ready > done:
            event(ARRAY, "switch" if i else "fill", i, done, ready)
        start = ready
        for cause, time in sorted(waits.items(), key=lambda item: item[1]):
            if time > start:
                timing.stall[cause] += time - start
                if event:
                    event(ARRAY, f"stall {cause}", i, start, time)
                start = time
        busy = max(row.array, row.port, row.requantizer)
        slowest = "port" if row.port >= row.requantizer else "requantizer"
        timing.stall[slowest] += busy - row.array
        done = start + busy
        if event:
            event(ARRAY, "compute", i, start, start + row.array)
            if busy > row.array:
                event(ARRAY, f"stall {slowest}", i, start + row.array, done)
        to_store = row.stores
    results = done + pipeline.tail
    if any(to_store):
        _store(pipeline, to_store, results, free, sent, dram, len(rows) - 1, event)
    timing.end = max(results, *(ends[0] for ends in sent)) if sent else results
    timing.stall["ofmap"] += timing.end - results
    if event:
        for what, begin, end in (("drain", done, results), ("stall ofmap", results, timing.end)):
            if end > begin:
                event(ARRAY, what, len(rows) - 1, begin, end)
    room = [
        mark[j] for j, link in enumerate(links) if link.operand == "weight" and outermost[j] and link.double_buffered
    ]
    timing.idle_tail = dram.idle(room[0], timing.end) if room else 0
    return timing


class _Channel:
    """What DRAM's channel did since its last load."""

    def __init__(self) -> None:
        self.last_load = 0
        self.stores: list[tuple[int, int]] = []

    def loaded(self, end: int) -> None:
        """Note a load."""
        self.last_load = end
        self.stores.clear()

    def idle(self, begin: int, end: int) -> int:
        """Return the idle cycles from ``begin``, or the last load, to ``end``."""
        begin = max(begin, self.last_load)
        return max(end - begin, 0) - sum(max(min(last, end) - max(first, begin), 0) for first, last in self.stores)


@dataclass(frozen=True, slots=True)
class _Row:
    loads: list[int]
    stores: list[int]
    preload: int
    idle: int
    array: int
    port: int
    requantizer: int
    finishes: bool


def _rows(pipeline: Pipeline) -> list[_Row]:
    steps = len(pipeline.array)

    def columns(transfers: tuple[Transfer, ...]) -> list[list[int]]:
        return np.stack([t.cycles for t in transfers], axis=1).tolist() if transfers else [[]] * steps

    parts = (pipeline.preload, pipeline.idle, pipeline.array, pipeline.port, pipeline.requantizer, pipeline.finishes)
    plain = zip(*(part.tolist() for part in parts), strict=True)
    return [
        _Row(loads, stores, *rest)
        for loads, stores, rest in zip(columns(pipeline.loads), columns(pipeline.stores), plain, strict=True)
    ]


def _free(free: dict[str, int], link: Link) -> int:
    """Return when both ends of a link are free."""
    return max(free.get(link.channel, 0), free.get(link.far_channel, 0))


def _store(
    pipeline: Pipeline,
    cycles: list[int],
    results: int,
    free: dict[str, int],
    sent: list[list[int]],
    dram: _Channel,
    step: int,
    event: Event | None,
) -> None:
    """Send a step's results outwards."""
    ready = results
    for j, (transfer, length) in enumerate(zip(pipeline.stores, cycles, strict=True)):
        if not length:
            break
        link = transfer.link
        begin = max(_free(free, link), ready)
        if j + 1 < len(sent):  # room in the memory that the results go to
            begin = max(begin, sent[j + 1][1] if pipeline.stores[j + 1].link.double_buffered else sent[j + 1][0])
        ready = free[link.channel] = free[link.far_channel] = begin + length
        sent[j] = [ready, sent[j][0]]
        if link.channel == DRAM:
            dram.stores.append((begin, ready))
        if event:
            event(link.channel, "store ofmap", step, begin, ready)
