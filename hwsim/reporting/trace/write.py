"""From layers in time to a trace file."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hwsim.cost.pipeline import ARRAY
from hwsim.cost.timeline import VECTOR, LayerTimeline
from hwsim.reporting.files import output_folder
from hwsim.reporting.trace.counters import dram_bits, macs, means, windows
from hwsim.reporting.trace.event import Clock, Event, process_name, track_name
from hwsim.reporting.trace.layers import LAYERS, REQUANTIZER, Slice, layer_slices
from hwsim.reporting.words import visible

DEFAULT_LIMIT = 200
FIRST_TRACKS = (LAYERS, ARRAY, REQUANTIZER, VECTOR)


def write_trace(
    layers: Sequence[LayerTimeline],
    path: str | os.PathLike[str],
    *,
    clock_mhz: float,
    title: str,
    about: Mapping[str, Any] | None = None,
    limit: int = DEFAULT_LIMIT,
    detailed: Callable[[str], bool] = lambda layer: True,
) -> Path:
    """Write the trace of one inference and return its path; a name that ends in ``.gz`` is compressed.

    Args:
        layers: ``hwsim.cost.timeline.timeline``.
        path: of the file; its folder is made.
        clock_mhz: of the machine.
        title: of the process in the viewer.
        about: what the file says about itself, under ``otherData``.
        limit: slices of a layer on each track, beyond which steps are merged.
        detailed: whether a layer's steps are drawn.

    Raises:
        HwsimError: the file cannot be written.
    """
    target = Path(path)
    events = trace_events(layers, clock_mhz=clock_mhz, title=title, limit=limit, detailed=detailed)
    document = {"displayTimeUnit": "ns", "otherData": dict(about or {}), "traceEvents": events}
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=True).encode()
    with output_folder(target.parent):
        target.write_bytes(gzip.compress(text, mtime=0) if target.suffix == ".gz" else text)
    return target


def trace_events(
    layers: Sequence[LayerTimeline],
    *,
    clock_mhz: float,
    title: str,
    limit: int = DEFAULT_LIMIT,
    detailed: Callable[[str], bool] = lambda layer: True,
) -> list[Event]:
    """Return the events: names first, then slices and counters in the order of time; see ``write_trace``."""
    clock = Clock(clock_mhz=clock_mhz)
    slices = [
        one
        for layer, after in zip(layers, (*layers[1:], None), strict=True)
        for one in layer_slices(layer, after, limit if detailed(layer.layer) else 0)
    ]
    found = dict.fromkeys(one.track for one in slices)
    tracks = [name for name in FIRST_TRACKS if name in found] + sorted(set(found) - set(FIRST_TRACKS))
    numbers = {name: i + 1 for i, name in enumerate(tracks)}
    names = [process_name(title), *(event for name, i in numbers.items() for event in track_name(i, name))]
    slices.sort(key=lambda one: (one.begin, -one.end))  # stable: of equal slices the outer one comes first
    timed = [*(_event(clock, numbers, one) for one in slices), *_counters(clock, layers)]
    timed.sort(key=lambda event: event["ts"])
    return names + timed


def _event(clock: Clock, numbers: Mapping[str, int], one: Slice) -> Event:
    return clock.slice(numbers[one.track], visible(one.name), one.begin, one.end, **one.args)


def _counters(clock: Clock, layers: Sequence[LayerTimeline]) -> Iterator[Event]:
    """Yield DRAM's bits per cycle and the array's utilization over windows of equal length, and 0 at the end."""
    end = layers[-1].end if layers else 0
    edges = windows(end)
    moved = {name: means(amounts, edges) for name, amounts in dram_bits(layers).items()}
    used = means(macs(layers), edges)
    for i, cycle in enumerate(edges[:-1].tolist()):
        yield clock.counter("DRAM bits per cycle", cycle, {name: round(float(v[i]), 4) for name, v in moved.items()})
        yield clock.counter("array utilization", cycle, {"utilization": round(float(used[i]), 6)})
    yield clock.counter("DRAM bits per cycle", end, dict.fromkeys(moved, 0.0))
    yield clock.counter("array utilization", end, {"utilization": 0.0})
