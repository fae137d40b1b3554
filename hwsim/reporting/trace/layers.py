"""A layer as slices of its tracks: the layer, inside it steps or transfers, inside a step what the array does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hwsim.cost.ledger import CYCLE_COLUMNS
from hwsim.cost.pipeline import ARRAY
from hwsim.cost.timeline import PREFETCH, VECTOR, LayerTimeline, Span
from hwsim.units import BITS_PER_BYTE

LAYERS, REQUANTIZER = "layers", "requantizer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A slice of a track, in cycles."""

    track: str
    name: str
    begin: int
    end: int
    args: dict[str, Any]


def layer_slices(layer: LayerTimeline, after: LayerTimeline | None, limit: int) -> Iterator[Slice]:
    """Yield the slices of one layer, each before those inside it.

    Args:
        layer: in time.
        after: the next layer, whose first weights may come under this one.
        limit: slices of a track; where there are more steps or transfers, neighbours are merged and say so. 0: the layer
            is one slice.
    """
    facts = _facts(layer)
    yield Slice(track=LAYERS, name=layer.layer, begin=layer.begin, end=layer.end, args=facts)
    unit = ARRAY if layer.mapping is not None else VECTOR
    yield Slice(track=unit, name=layer.layer, begin=layer.begin, end=layer.end, args=facts)
    if not limit:
        return
    if layer.mapping is not None:
        yield from _steps(layer, limit)
    guests = [span for span in after.spans if span.begin < after.begin] if after else []
    channels: dict[str, list[Span]] = {}
    for span in (*layer.spans, *_requantizer(layer), *guests):
        if span.resource not in (ARRAY, VECTOR) and span.begin >= layer.begin:
            channels.setdefault(span.resource, []).append(span)
    for name, spans in channels.items():
        yield Slice(track=name, name=layer.layer, begin=layer.begin, end=layer.end, args={"op": layer.op})
        yield from _transfers(name, spans, after.layer if after else "", limit)


def _facts(layer: LayerTimeline) -> dict[str, Any]:
    cycles = layer.cost.cycles
    spent = {f"{name}_cycles": getattr(cycles, name) for name in CYCLE_COLUMNS[1:] if getattr(cycles, name)}
    facts = {"op": layer.op, "macs": layer.cost.macs, **spent}
    mapping = layer.mapping
    if mapping is None:
        return facts
    gemm = mapping.gemm
    return {
        **facts,
        "m x k x n": f"{gemm.m} x {gemm.k} x {gemm.n}",
        "groups": gemm.groups,
        "tile": f"{mapping.tile_m} x {mapping.tile_k} x {mapping.tile_n}",
        "order": mapping.order,
        "steps": len(layer.steps.m) if layer.steps else 0,
        "on_chip": [name for name in ("ifmap", "ofmap") if getattr(mapping, f"{name}_on_chip")],
    }


def _steps(layer: LayerTimeline, limit: int) -> Iterator[Slice]:
    """Yield the array's steps with what it does in each; merged ones are one slice with sums."""
    steps = layer.steps
    assert steps is not None
    by_step: list[list[Span]] = [[] for _ in steps.m]
    for span in layer.spans:
        if span.resource == ARRAY:
            by_step[span.step].append(span)
    together = np.array_split(np.arange(len(by_step)), min(limit, len(by_step)))
    for chunk in together:
        first, last = int(chunk[0]), int(chunk[-1])
        parts = [span for step in by_step[first : last + 1] for span in step]
        ends = {"begin": parts[0].begin, "end": parts[-1].end}
        if first < last:
            args = {"steps": last - first + 1, **_sums(parts), "note": "merged; raise --limit to see each step"}
            yield Slice(track=ARRAY, name=f"steps {first}..{last}", **ends, args=args)
            continue
        tile = {"tile": f"{steps.m[first]} x {steps.k[first]} x {steps.n[first]}", "groups": int(steps.groups[first])}
        yield Slice(track=ARRAY, name=f"step {first}", **ends, args=tile)
        for span in parts:
            cause = {"cause": span.what.removeprefix("stall ")} if span.what.startswith("stall") else {}
            yield Slice(track=ARRAY, name=span.what, begin=span.begin, end=span.end, args=cause)


def _transfers(track: str, spans: list[Span], after: str, limit: int) -> Iterator[Slice]:
    """Yield a channel's transfers in the order of time."""
    spans.sort(key=lambda span: span.begin)
    for chunk in np.array_split(np.arange(len(spans)), min(limit, len(spans))):
        parts = [spans[i] for i in chunk]
        args: dict[str, Any] = {}
        if track != REQUANTIZER:
            args["bytes"] = sum(span.read_bits + span.write_bits for span in parts) / BITS_PER_BYTE
        name = parts[0].what
        if len(parts) > 1:
            name = f"{len(parts)} transfers"
            args |= {"busy_cycles": _sums(parts), "note": "merged, gaps included; raise --limit to see each"}
        elif name == "stream":
            args["note"] = "drawn at the layer's start; it may come at any time within it"
        elif name == PREFETCH:
            args["for_layer"] = after
        else:
            args["step"] = parts[0].step
        yield Slice(track=track, name=name, begin=parts[0].begin, end=parts[-1].end, args=args)


def _requantizer(layer: LayerTimeline) -> Iterator[Span]:
    """Yield when the requantizers are what a step waits for: from the step's start to its end."""
    starts = {span.step: span.begin for span in layer.spans if (span.resource, span.what) == (ARRAY, "compute")}
    for span in layer.spans:
        if span.what == "stall requantizer":
            yield Span(resource=REQUANTIZER, what="requantize", step=span.step, begin=starts[span.step], end=span.end)


def _sums(spans: Sequence[Span]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for span in spans:
        sums[span.what] = sums.get(span.what, 0) + span.end - span.begin
    return sums
