"""When everything of one inference happens: transfers, steps and waiting of every layer, in cycles from the start.

The same recurrence as the cost's, told event by event. What the model does not place in time is placed here: a vector
layer keeps DRAM busy for its streams' cycles somewhere within the layer, drawn at its start; weights that come ahead take the
first idle cycles of DRAM behind the last load of the layer before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hwsim.cost.array_layer import pipeline_of
from hwsim.cost.ledger import LayerCost
from hwsim.cost.links import DRAM
from hwsim.cost.pipeline import run
from hwsim.cost.steps import Steps, steps_of
from hwsim.cost.transfers import beside, moved_bits
from hwsim.cost.turns import Turn, turns
from hwsim.graph import Graph
from hwsim.hardware.accelerator import Accelerator
from hwsim.hardware.datapath import Datapath
from hwsim.mapping.gemm import Gemm
from hwsim.mapping.lower import lower
from hwsim.mapping.mapping import Mapping
from hwsim.mapping.plan import Plan

VECTOR, PREFETCH = "vector", "prefetch weight"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Something that keeps a resource busy from cycle ``begin`` to ``end`` of the inference.

    Args:
        resource: a channel of ``hwsim.cost.links``, ``array`` or ``vector``.
        what: as ``load weight``, ``compute``, ``stall ifmap``, see ``hwsim.cost.pipeline.run``; ``prefetch weight`` ahead of
            the layer; ``stream`` of a vector layer over DRAM.
        step: of the layer; 0 in vector layers.
        read_bits, write_bits: that a transfer takes from and brings to its channel's outer side.
    """

    resource: str
    what: str
    step: int
    begin: int
    end: int
    read_bits: int = 0
    write_bits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayerTimeline:
    """One layer in time.

    Args:
        layer, op: its name and operator.
        begin, end: in cycles of the inference.
        cost: its ledger.
        spans: what happens, in no particular order; those of prefetched weights lie before ``begin``.
        mapping, steps: of array layers.
    """

    layer: str
    op: str
    begin: int
    end: int
    cost: LayerCost
    spans: tuple[Span, ...]
    mapping: Mapping | None = None
    steps: Steps | None = None


def timeline(graph: Graph, accelerator: Accelerator, plan: Plan) -> Iterator[LayerTimeline]:
    """Yield the layers of one inference in time; views, which take none, are left out."""
    begin, before = 0, None
    for turn in turns(graph, lower(graph), accelerator, plan):
        if turn.task.work is None:
            continue
        if isinstance(turn.task.work, Gemm):
            before = array_timeline(turn, plan.mappings[turn.task.layer], begin, before)
        else:
            before = vector_timeline(turn, begin)
        yield before
        begin = before.end


def vector_timeline(turn: Turn, begin: int) -> LayerTimeline:
    """Return a layer of the vector unit that starts in cycle ``begin``."""
    cost = turn.cost
    end = begin + cost.cycles.total
    spans = [Span(resource=VECTOR, what=turn.task.op, step=0, begin=begin, end=end)]
    bits = {
        action: sum(row.count * row.bits for row in cost.accesses if (row.memory, row.action) == (DRAM, action))
        for action in ("read", "write")
    }
    busy = cost.cycles.total - cost.idle_tail
    if busy:
        stream = Span(
            resource=DRAM, what="stream", step=0, begin=begin, end=begin + busy,
            read_bits=bits["read"], write_bits=bits["write"],
        )  # fmt: skip
        spans.append(stream)
    return LayerTimeline(layer=turn.task.layer, op=turn.task.op, begin=begin, end=end, cost=cost, spans=tuple(spans))


def array_timeline(turn: Turn, mapping: Mapping, begin: int, before: LayerTimeline | None) -> LayerTimeline:
    """Return a layer of the array that starts in cycle ``begin``, when the layer ``before`` has ended."""
    steps = steps_of(mapping, turn.machine)
    pipeline = pipeline_of(mapping, steps, turn.machine, turn.datapath, turn.prefetched)
    first = pipeline.loads[0]  # of weights from DRAM
    ahead = min(turn.prefetched, int(first.cycles[0]))
    bits = _bits(mapping, steps, turn.datapath)
    early = bits[DRAM, "load weight"][0] * ahead // max(int(first.cycles[0]), 1)
    spans = list(_prefetch(ahead, early, before)) if before else []

    def event(resource: str, what: str, step: int, start: int, stop: int) -> None:
        moved = bits.get((resource, what))
        amount = moved[step] - (early if (resource, what, step) == (DRAM, "load weight", 0) else 0) if moved else 0
        sides = {"write_bits" if what.startswith("store") else "read_bits": amount}
        spans.append(Span(resource=resource, what=what, step=step, begin=begin + start, end=begin + stop, **sides))

    end = begin + run(pipeline, event).end
    return LayerTimeline(
        layer=turn.task.layer, op=turn.task.op, begin=begin, end=end, cost=turn.cost, spans=tuple(spans),
        mapping=mapping, steps=steps,
    )  # fmt: skip


def _bits(mapping: Mapping, steps: Steps, datapath: Datapath) -> dict[tuple[str, str], list[int]]:
    """Return the bits of every step by channel and event; one operand passes a channel over one link only."""
    found = {}
    for operand in ("weight", "ifmap"):
        for moves in steps.loads[operand]:
            extra = beside(mapping, steps, moves, datapath)
            found[moves.link.channel, f"load {operand}"] = moved_bits(mapping, moves, extra).tolist()
    for moves in steps.stores:
        found[moves.link.channel, "store ofmap"] = moved_bits(mapping, moves).tolist()
    return found


def _prefetch(cycles: int, bits: int, before: LayerTimeline) -> Iterator[Span]:
    """Yield where DRAM fetches weights under the layer before: ``cycles`` of its idle tail from the earliest on."""
    idle = _last(_gaps(before), before.cost.idle_tail)
    done = 0
    for start, stop in idle:
        taken = min(stop - start, cycles - done)
        if taken <= 0:
            return
        part = bits * (done + taken) // cycles - bits * done // cycles
        yield Span(resource=DRAM, what=PREFETCH, step=0, begin=start, end=start + taken, read_bits=part)
        done += taken


def _gaps(layer: LayerTimeline) -> list[tuple[int, int]]:
    """Return when DRAM's channel does nothing within a layer."""
    busy = sorted((span.begin, span.end) for span in layer.spans if span.resource == DRAM and span.begin >= layer.begin)
    edges = [layer.begin, *(edge for pair in busy for edge in pair), layer.end]
    return [(edges[i], edges[i + 1]) for i in range(0, len(edges), 2) if edges[i + 1] > edges[i]]


def _last(gaps: Iterable[tuple[int, int]], cycles: int) -> list[tuple[int, int]]:
    """Return the last ``cycles`` of ``gaps``.

    >>> _last([(0, 4), (6, 9), (12, 13)], 3)
    [(7, 9), (12, 13)]
    """
    kept = []
    for start, stop in reversed(list(gaps)):
        taken = min(stop - start, cycles)
        if taken:
            kept.append((stop - taken, stop))
        cycles -= taken
    return kept[::-1]
